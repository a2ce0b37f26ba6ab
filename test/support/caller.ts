import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

/** The test's expectations say what a response body contains. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a type of every body would repeat the expectation
type AnyBody = any;

/** A response of the API, read to its end. */
export interface Answer<Body = AnyBody> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed if it is JSON, else text; undefined when empty. */
  readonly body: Body;
}

/** A client that calls the API over real HTTP, with or without an access token. */
export class Caller {
  constructor(
    private readonly baseUrl: string,
    readonly token?: string,
  ) {}

  /** Returns the same client for another process. */
  withBaseUrl(baseUrl: string): Caller {
    return new Caller(baseUrl, this.token);
  }

  get<Body = AnyBody>(path: string, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send('GET', path, undefined, headers);
  }

  post<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send('POST', path, body, headers);
  }

  put<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send('PUT', path, body, headers);
  }

  patch<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send('PATCH', path, body, headers);
  }

  delete<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send('DELETE', path, body, headers);
  }

  /** Sends one request; a string or bytes are sent unchanged, anything else as JSON. */
  async send<Body = AnyBody>(
    method: string,
    path: string,
    body?: unknown,
    sentHeaders: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const payload = isRaw || body === undefined ? body : JSON.stringify(body);
    const { status, rawHeaders, isJson, text } = await exchange(new URL(this.baseUrl + path), method, payload, {
      accept: '*/*',
      'user-agent': 'node',
      ...(this.token && { authorization: `Bearer ${this.token}` }),
      ...(payload !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(payload)),
      }),
      ...sentHeaders,
    });
    const parsed: unknown = text === '' ? undefined : isJson ? JSON.parse(text) : text;
    let headers: Headers | undefined;
    return {
      status,
      // Created when a test reads them: most do not, and a run sends tens of thousands of requests.
      get headers() {
        return (headers ??= parseHeaders(rawHeaders));
      },
      body: parsed as Body,
    };
  }
}

const agent = new Agent({ keepAlive: true });

/** Sends a request by Node's client, which takes a fraction of the CPU time of `fetch`, and reads the response. */
async function exchange(
  url: URL,
  method: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string>,
): Promise<{ status: number; rawHeaders: string[]; isJson: boolean; text: string }> {
  const sent = request(url, { agent, method, headers }).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const isJson = /\bjson\b/.test(response.headers['content-type'] ?? '');
  return { status: response.statusCode!, rawHeaders: response.rawHeaders, isJson, text: await readText(response) };
}

/** Reads a response to its end by events, which take less CPU time than its iterator. */
async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(response, 'end');
  return text;
}

/** Returns the headers of Node's flat list of names and values. */
function parseHeaders(list: readonly string[]): Headers {
  const headers = new Headers();
  for (let n = 0; n < list.length; n += 2) headers.append(list[n]!, list[n + 1]!);
  return headers;
}

/** Returns one field of each item of a JSON list. */
export function pluck<Value = unknown>(items: unknown, field: string): Value[] {
  return (items as Record<string, Value>[]).map((item) => item[field]!);
}
