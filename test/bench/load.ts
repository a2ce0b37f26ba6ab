import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { computePercentile } from './statistics';

/** A request to send. */
export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly body?: string;
}

/** The result of a period of load. */
export interface LoadResult {
  readonly requests: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the load generator itself. */
  readonly clientCpuUs: number;
}

/** The duration and the number of connections. */
export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly next: () => LoadRequest;
}

/**
 * Sends requests over keep-alive connections; each connection sends the next after it has read the response. It writes
 * and reads HTTP/1.1 by hand, so that the client takes little of the machine that it shares.
 * @throws Error with the first unsuccessful response: a server that refuses quickly is not fast
 */
export async function runLoad({ port, connections, seconds, next }: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  const until = began + seconds * 1000;
  const channels = Array.from({ length: connections }, () => new LoadConnection(port));
  try {
    await Promise.all(
      channels.map(async (channel) => {
        for (let sent = performance.now(); sent < until; sent = performance.now()) {
          await channel.send(next());
          latencies.push(performance.now() - sent);
        }
      }),
    );
  } finally {
    for (const channel of channels) channel.close();
  }
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    rps: latencies.length / elapsed,
    p50Ms: computePercentile(latencies, 0.5),
    p99Ms: computePercentile(latencies, 0.99),
    clientCpuUs: (user + system) / latencies.length,
  };
}

const HEADER_END = Buffer.from('\r\n\r\n');

/** A keep-alive connection with at most one request. */
class LoadConnection {
  private readonly socket: Socket;
  private received: Buffer[] = [];
  private resolveResponse: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.read(chunk));
    this.socket.on('error', (error) => this.resolveResponse?.reject(error));
    this.socket.on('close', () => this.resolveResponse?.reject(new Error('the server closed a connection under load')));
  }

  send({ method, path, token, body = '' }: LoadRequest): Promise<void> {
    const authorization = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
    const content =
      body === '' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    this.socket.write(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${authorization}${content}\r\n${body}`);
    return new Promise((resolve, reject) => (this.resolveResponse = { resolve, reject }));
  }

  close(): void {
    this.resolveResponse = undefined;
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    this.received.push(chunk);
    const bytes = this.received.length === 1 ? chunk : Buffer.concat(this.received);
    const headerEnd = bytes.indexOf(HEADER_END);
    if (headerEnd < 0) return;
    const head = bytes.toString('latin1', 0, headerEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (bytes.length < headerEnd + HEADER_END.length + length) return;
    this.received = [];
    const status = Number(head.slice(9, 12));
    const { resolveResponse: settle } = this;
    this.resolveResponse = undefined;
    if (status >= 200 && status < 300) settle?.resolve();
    else settle?.reject(new Error(`under load the server answered\n${bytes.toString()}`));
  }
}
