import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A client that never closes its side by itself, whatever the server does with its own. */
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

  /** What the server has said so far. */
  get received(): string {
    return this.text;
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** Goes on sending until the connection is gone. */
  keepSending(data: Buffer): void {
    const send = (): void => {
      if (!this.socket.destroyed) this.socket.write(data, (error) => (error ? undefined : setImmediate(send)));
    };
    send();
  }

  /** Waits until the server has said this. */
  async waitForText(words: string): Promise<void> {
    while (!this.text.includes(words)) {
      if (this.socket.readableEnded || this.socket.destroyed)
        throw new Error(`the connection ended after ${JSON.stringify(this.text)}`);
      await Promise.race(['data', 'end', 'close'].map((event) => once(this.socket, event)));
    }
  }

  /** Waits until the server has ended its side; what it has said. */
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
  while ((await countConnections(server)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** How many connections the server has. */
export function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
