import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A request whose signature is checked, and the login that should have signed it. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly service: string;
}

/** The fault of a signature. */
export type SignatureFault = 'missing' | 'access key' | 'scope' | 'signature';

const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks a signature of AWS, version 4, which must include Host and all X-Amz headers. Returns undefined when it is
 * correct.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function findSignatureFault(request: SignedRequest): SignatureFault | undefined {
  const { headers, region, service, accessKey } = request;
  const [, credential = '', signed = '', signature] = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  if (signature === undefined) return 'missing';
  const [key, ...scope] = credential.split('/');
  if (key !== accessKey) return 'access key';
  const day = String(headers['x-amz-date']).slice(0, 8);
  if (scope.join('/') !== `${day}/${region}/${service}/aws4_request`) return 'scope';
  const names = signed.split(';');
  const required = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (!required.every((name) => names.includes(name))) return 'signature';
  return sign(request, scope, signed) === signature ? undefined : 'signature';
}

function sign({ method, url, headers, body, secretKey }: SignedRequest, scope: string[], signed: string): string {
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  const canonical = [method, url.pathname, query.join('&'), lines.join(''), signed, hash(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope.join('/'), hash(Buffer.from(canonical))].join('\n');
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part).digest(), `AWS4${secretKey}`);
  return hmac(key, text).digest('hex');
}

/** Returns the SHA-256 of bytes in hex. */
export function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function hmac(key: string | Buffer, text: string) {
  return createHmac('sha256', key).update(text);
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
