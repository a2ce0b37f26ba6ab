import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { waitFor } from './wait-for';

/** A client that never closes its side, even when the server closes its own. */
export class HalfOpenClient {
  private text = '';

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => (this.text += chunk.toString('latin1'))).on('error', () => undefined);
  }

  static async connect(url: string): Promise<HalfOpenClient> {
    const { hostname: host, port } = new URL(url);
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    await once(socket, 'connect');
    return new HalfOpenClient(socket);
  }

  /** The server's output so far. */
  get received(): string {
    return this.text;
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** Sends until the connection is gone. */
  keepSending(data: Buffer): void {
    const send = (): void => {
      if (!this.socket.destroyed) this.socket.write(data, (error) => (error ? undefined : setImmediate(send)));
    };
    send();
  }

  /** Waits until the server has sent this text. */
  async waitForText(words: string): Promise<void> {
    while (!this.text.includes(words)) {
      if (this.socket.readableEnded || this.socket.destroyed)
        throw new Error(`the connection ended after ${JSON.stringify(this.text)}`);
      await Promise.race(['data', 'end', 'close'].map((event) => once(this.socket, event)));
    }
  }

  /** Waits until the server has closed its side; returns its output. */
  async waitForEnd(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed)
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Waits until the server has no connection. */
export async function waitForNoConnections(server: Server): Promise<void> {
  await waitFor('the server has no connection', async () => (await countConnections(server)) === 0);
}

/** Returns the number of the server's connections. */
export function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
