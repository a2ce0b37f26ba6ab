import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { pause } from '../../support/wait-for';

/** A request of the scenario; the path is sent unchanged. */
export interface Input {
  /** The hostile part of it. */
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** True when it names a row of another user. */
  readonly isForeign?: boolean;
}

/** A response, read to its end. */
export interface Reply {
  readonly status: number;
  readonly mediaType: string;
  readonly body: string;
  /** True when the body was a stream of events, which is read only briefly. */
  readonly isStream: boolean;
}

const ANSWER_LIMIT_MS = 120_000;
const STREAM_MS = 200;

/** Sends requests over keep-alive connections, with headers and paths that fetch would refuse. */
export class Sender {
  private readonly agent: Agent;

  constructor(
    private readonly port: number,
    connections: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends one request; undefined when the connection ended without a response. */
  async send(input: Input): Promise<Reply | undefined> {
    const first = await this.attempt(input);
    // The server may close a keep-alive connection while a request is being sent.
    return first === 'stale' ? this.attempt(input).then(toReply) : toReply(first);
  }

  close(): void {
    this.agent.destroy();
  }

  private attempt({ method, path, headers, body }: Input): Promise<Reply | 'stale' | undefined> {
    return new Promise((done) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const isChunked = Object.keys(headers).some((name) => name.toLowerCase() === 'transfer-encoding');
      const request = httpRequest({
        host: '127.0.0.1',
        port: this.port,
        agent: this.agent,
        method,
        path,
        headers: { ...(isChunked ? {} : length), ...headers },
      });
      request.setTimeout(ANSWER_LIMIT_MS, () => request.destroy());
      request.once('response', (response) => void read(response).then(done));
      request.once('upgrade', (response, socket) => {
        socket.destroy();
        done({ status: response.statusCode ?? 0, mediaType: '', body: '', isStream: false });
      });
      request.once('error', () => done(request.reusedSocket ? 'stale' : undefined));
      request.end(body);
    });
  }
}

function toReply(reply: Reply | 'stale' | undefined): Reply | undefined {
  return reply === 'stale' ? undefined : reply;
}

async function read(response: IncomingMessage): Promise<Reply> {
  const mediaType = (response.headers['content-type'] ?? '').split(';', 1)[0]!.trim();
  const isStream = mediaType === 'text/event-stream';
  if (isStream) void pause(STREAM_MS, 'a stream has no end', { ref: false }).then(() => response.destroy());
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch {
    // A truncated body still has its status.
  }
  return { status: response.statusCode ?? 0, mediaType, body: Buffer.concat(chunks).toString('utf8'), isStream };
}
