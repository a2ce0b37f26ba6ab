import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One key of a fake service, with all its versions. */
export interface FakeKey {
  /** The last one encrypts. */
  readonly versions: Buffer[];
  /** An asymmetric key authenticates no further data. */
  readonly isSymmetric: boolean;
  /** The oldest version that decrypts. */
  minVersion: number;
  isDisabled: boolean;
  /** True after its deletion was requested. */
  isDeleted: boolean;
}

/** A response of a fake service. */
export interface FakeResponse {
  readonly status: number;
  readonly body: object;
}

/** A fake key management service over HTTP: keys, and the faults that both services can have. */
export abstract class FakeKeyService {
  readonly keys = new Map<string, FakeKey>();
  /** Data keys that the service has encrypted. */
  readonly seen = new Set<string>();
  /** Number of requests. */
  requests = 0;
  /** Number of the next requests that are throttled. */
  throttled = 0;
  /** True for a service that accepts requests and never answers. */
  isSilent = false;
  /** True for a service that runs but cannot use its keys: a sealed Vault, an internal error of AWS. */
  isFailing = false;
  /** Closed keep-alive connections would look like faults. */
  private readonly server: Server = createServer({ keepAliveTimeout: 0 }, (request, response) =>
    this.serve(request, response),
  );
  private port = 0;

  /** Settings of Gigvault for this service. No call ends by its time limit on a busy machine. */
  get settings(): Record<string, string> {
    return { KMS_TIMEOUT_MS: '60000' };
  }

  /** Lists the secrets of the login. */
  abstract listCredentials(): string[];

  /** Returns the entry of ENCRYPTION_KEYS for a key. */
  abstract buildEntry(id: string, key: string): string;

  protected abstract answer(request: IncomingMessage, url: URL, body: Buffer): FakeResponse;
  protected abstract readonly throttledResponse: FakeResponse;
  protected abstract readonly failingResponse: FakeResponse;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens; on the same port after `stop`. */
  async start(): Promise<void> {
    if (this.server.listening) return;
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Closes all connections and refuses new ones. */
  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  createKey(name: string, { isSymmetric = true }: { isSymmetric?: boolean } = {}): void {
    const state = { minVersion: 1, isDisabled: false, isDeleted: false };
    this.keys.set(name, { versions: [randomBytes(32)], isSymmetric, ...state });
  }

  /** Adds a version, which encrypts from now on. */
  rotateKey(name: string): void {
    this.keys.get(name)!.versions.push(randomBytes(32));
  }

  /** Lists the data keys that the service has encrypted, each in the forms in which it could be stored in plain. */
  listPlainDataKeys(): Buffer[] {
    // Readiness tries a key with zeros.
    const keys = [...this.seen].map((text) => Buffer.from(text, 'base64')).filter((key) => key.some(Boolean));
    return keys.flatMap((key) => [
      key,
      ...(['base64', 'base64url', 'hex'] as const).map((encoding) => Buffer.from(key.toString(encoding))),
      Buffer.from(key.toString('hex').toUpperCase()),
      Buffer.from(key.join(',')),
    ]);
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.requests += 1;
      if (this.isSilent) return;
      const { status, body } = this.respond(request, Buffer.concat(chunks));
      // Node's own header lags behind a date that a test has moved, and the SDK of AWS corrects its clock by it.
      const headers = { 'content-type': 'application/json', date: new Date().toUTCString() };
      response.writeHead(status, headers).end(JSON.stringify(body));
    });
  }

  private respond(request: IncomingMessage, body: Buffer): FakeResponse {
    if (this.throttled > 0) {
      this.throttled -= 1;
      return this.throttledResponse;
    }
    if (this.isFailing) return this.failingResponse;
    return this.answer(request, new URL(request.url ?? '/', this.url), body);
  }
}

/** Encrypts with a version of a key: nonce, ciphertext, tag. */
export function encryptWith(key: Buffer, plain: Buffer, associated: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Undoes `encryptWith`; undefined when something differs. */
export function decryptWith(key: Buffer, bytes: Buffer, associated: Buffer): Buffer | undefined {
  if (bytes.length < 28) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(associated).setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Parses standard base64 as a strict server does; undefined for other texts. */
export function parseBase64(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Parses a JSON object; undefined for other texts. */
export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
