import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findSignatureFault, hash } from './signature-v4';

const ACCESS_KEY = 'a-key-of-the-test';
const SECRET_KEY = 'a-secret-of-the-test';
const REGION = 'eu-test-1';
const BUCKET = 'backups';

/** Amazon's minimum size of all parts but the last. */
const MIN_PART = 5 * 1_024 * 1_024;

interface Upload {
  readonly key: string;
  readonly parts: Map<number, Buffer>;
}

/** An object store with S3's HTTP API: path-style requests, checked signatures (version 4), multipart uploads. */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>();
  readonly uploads = new Map<string, Upload>();
  /** The status and code of error responses to requests with these methods. */
  fault:
    | { readonly methods: readonly string[]; readonly status: number; readonly code: string; readonly body?: string }
    | undefined;
  // A stalled process would close idle connections just when the client reuses them.
  private readonly server: Server = createServer(
    { keepAliveTimeout: 0 },
    (request, response) => void this.answer(request, response),
  );
  private port = 0;

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** The settings with which Gigvault uses it. */
  get settings(): Record<string, string> {
    return {
      BACKUP_S3_ENDPOINT: `http://127.0.0.1:${this.port}`,
      BACKUP_S3_REGION: REGION,
      BACKUP_S3_BUCKET: BUCKET,
      BACKUP_S3_PREFIX: 'gigvault/',
      BACKUP_S3_ACCESS_KEY: ACCESS_KEY,
      BACKUP_S3_SECRET_KEY: SECRET_KEY,
    };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = [];
    for await (const piece of request) body.push(piece as Buffer);
    const bytes = Buffer.concat(body);
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${this.port}`);
    const problem =
      findProblem(request, url, bytes) ?? (this.fault?.methods.includes(request.method ?? '') ? this.fault : undefined);
    if (problem && 'body' in problem) return void response.writeHead(problem.status).end(problem.body);
    if (problem)
      return void response
        .writeHead(problem.status, { 'content-type': 'application/xml' })
        .end(xml('Error', `<Code>${problem.code}</Code><Message>as configured</Message>`));
    const [, bucket = '', ...rest] = decodeURIComponent(url.pathname).split('/');
    if (bucket !== BUCKET)
      return void response
        .writeHead(404)
        .end(xml('Error', '<Code>NoSuchBucket</Code><Message>no such bucket</Message>'));
    const key = rest.join('/');
    if (request.method === 'GET' && key === '') return this.answerLists(url.searchParams, response);
    this.answerObject(request.method ?? '', key, url.searchParams, bytes, response);
  }

  private answerLists(query: URLSearchParams, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    if (query.has('uploads')) {
      const open = [...this.uploads].filter(([, { key }]) => key.startsWith(prefix));
      return void response.end(
        xml(
          'ListMultipartUploadsResult',
          open.map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`).join(''),
        ),
      );
    }
    const found = [...this.objects].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    const contents = found.map(
      ([key, bytes]) =>
        `<Contents><Key>${key}</Key><LastModified>2026-01-31T02:12:00.000Z</LastModified>` +
        `<ETag>"${md5(bytes)}"</ETag><Size>${bytes.length}</Size></Contents>`,
    );
    response.end(
      xml(
        'ListBucketResult',
        `<IsTruncated>false</IsTruncated><KeyCount>${found.length}</KeyCount>${contents.join('')}`,
      ),
    );
  }

  private answerObject(
    method: string,
    key: string,
    query: URLSearchParams,
    bytes: Buffer,
    response: ServerResponse,
  ): void {
    const uploadId = query.get('uploadId');
    const upload = uploadId === null ? undefined : this.uploads.get(uploadId);
    if (uploadId !== null && upload?.key !== key)
      return void response
        .writeHead(404)
        .end(xml('Error', '<Code>NoSuchUpload</Code><Message>no such upload</Message>'));
    if (method === 'POST' && query.has('uploads')) {
      const id = randomUUID();
      this.uploads.set(id, { key, parts: new Map() });
      return void response.end(
        xml('InitiateMultipartUploadResult', `<Bucket>${BUCKET}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId>`),
      );
    }
    if (method === 'POST' && upload) return this.complete(uploadId!, upload, bytes, response);
    if (method === 'PUT') {
      if (upload) upload.parts.set(Number(query.get('partNumber')), bytes);
      else this.objects.set(key, bytes);
      return void response.setHeader('etag', `"${md5(bytes)}"`).end();
    }
    if (method === 'DELETE') {
      if (upload) this.uploads.delete(uploadId!);
      else this.objects.delete(key);
      return void response.writeHead(204).end();
    }
    const object = this.objects.get(key);
    if (!object)
      return void response.writeHead(404).end(xml('Error', '<Code>NoSuchKey</Code><Message>no such key</Message>'));
    response
      .setHeader('content-length', object.length)
      .setHeader('etag', `"${md5(object)}"`)
      .setHeader('last-modified', 'Sat, 31 Jan 2026 02:12:00 GMT')
      .end(object);
  }

  private complete(id: string, { key, parts }: Upload, body: Buffer, response: ServerResponse): void {
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(?:"|&quot;)?([0-9a-f]+)/g)];
    const bytes = named.map(([, number, etag]) => {
      const part = parts.get(Number(number));
      return part && md5(part) === etag ? part : undefined;
    });
    const isFit =
      bytes.length > 0 && bytes.every((part, i) => part && (i === bytes.length - 1 || part.length >= MIN_PART));
    if (!isFit)
      return void response
        .writeHead(400)
        .end(xml('Error', '<Code>InvalidPart</Code><Message>a part is missing or too small</Message>'));
    this.objects.set(key, Buffer.concat(bytes as Buffer[]));
    this.uploads.delete(id);
    response.end(xml('CompleteMultipartUploadResult', `<Key>${key}</Key><ETag>"whole-${parts.size}"</ETag>`));
  }
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function findProblem(request: IncomingMessage, url: URL, body: Buffer): { status: number; code: string } | undefined {
  const { method = '', headers } = request;
  const login = { accessKey: ACCESS_KEY, secretKey: SECRET_KEY, region: REGION, service: 's3' };
  const fault = findSignatureFault({ method, url, headers, body, ...login });
  if (fault === 'missing' || fault === 'access key') return { status: 403, code: 'InvalidAccessKeyId' };
  if (fault === 'scope') return { status: 403, code: 'AuthorizationHeaderMalformed' };
  if (headers['x-amz-content-sha256'] !== hash(body)) return { status: 400, code: 'XAmzContentSHA256Mismatch' };
  return fault && { status: 403, code: 'SignatureDoesNotMatch' };
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

function xml(name: string, content: string): string {
  const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}">${content}</${name}>`;
}
