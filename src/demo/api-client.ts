import { Readable } from 'node:stream';

/** A response of the API outside 2xx, with code and detail of the problem document. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(`${status} ${code}: ${message}`);
  }
}

/** Returns an error handler for `catch` that ignores this error code, such as the one of an existing name. */
export function ignoreProblem(code: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof ApiError) || error.code !== code) throw error;
  };
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Returns whether a server runs on this machine. */
export function isLocalServer(url: string): boolean {
  return LOOPBACK.has(new URL(url).hostname);
}

/** A file to send, with its media type; `onProgress` receives the number of bytes sent. */
export interface Upload {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly onProgress: (sent: number) => void;
}

const UPLOAD_CHUNK_BYTES = 16_384;

/** A plain REST client of the API: fetch, a bearer token, problem documents as errors. */
export class ApiClient {
  private accessToken: string | undefined;

  constructor(readonly baseUrl: string) {}

  /** Sets the access token of all further requests. */
  setAccessToken(accessToken: string): void {
    this.accessToken = accessToken;
  }

  get<T>(path: string): Promise<T> {
    return this.send<T>('GET', path);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.send<T>('POST', path, JSON.stringify(body));
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PUT', path, JSON.stringify(body));
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PATCH', path, JSON.stringify(body));
  }

  /** Streams a file as the request body. */
  async upload<T>(path: string, upload: Upload): Promise<T> {
    return this.send<T>('POST', path, splitIntoChunks(upload), upload.contentType);
  }

  private async send<T>(
    method: string,
    path: string,
    body?: string | AsyncIterable<Uint8Array>,
    contentType = 'application/json',
  ): Promise<T> {
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...(this.accessToken ? { authorization: `Bearer ${this.accessToken}` } : {}),
      },
      body: typeof body === 'object' ? Readable.toWeb(Readable.from(body)) : body,
      duplex: 'half',
    } as RequestInit);
    const text = await response.text();
    const answer: unknown = text === '' ? undefined : JSON.parse(text);
    if (response.ok) return answer as T;
    const { code = 'unknown', detail, title } = (answer ?? {}) as { code?: string; detail?: string; title?: string };
    throw new ApiError(response.status, code, detail ?? title ?? response.statusText);
  }
}

async function* splitIntoChunks({ bytes, onProgress }: Upload): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += UPLOAD_CHUNK_BYTES) {
    yield bytes.subarray(start, start + UPLOAD_CHUNK_BYTES);
    onProgress(Math.min(start + UPLOAD_CHUNK_BYTES, bytes.length));
    // Gives the socket time to take the chunk before the next one is counted.
    await new Promise(setImmediate);
  }
}
