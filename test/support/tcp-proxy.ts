import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A client and its connection to the server behind the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Receives the bytes of one direction; returns whether to forward them. */
type Tap = (bytes: Buffer, pair: Pair) => boolean;

/** A TCP proxy in front of a service of the test run that can stop forwarding, like a frozen or disconnected host. */
export class TcpProxy {
  onClientBytes: Tap = () => true;
  onServerBytes: Tap = () => true;
  /** The number of connections so far. */
  connections = 0;
  private readonly pairs = new Set<Pair>();
  private isFrozen = false;
  private isCut = false;

  private constructor(
    private readonly server: Server,
    /** Port of the service. */
    public port: number,
  ) {}

  static async start(port: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, port);
    server.on('connection', (client) => proxy.join(client, connect({ host: '127.0.0.1', port: proxy.port })));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** Returns the URL with the proxy's host and port. */
  buildUrl(url: string): string {
    return Object.assign(new URL(url), { port: String((this.server.address() as AddressInfo).port) }).href;
  }

  /** Stops forwarding; connections stay open and new ones are accepted. */
  freeze(): void {
    this.isFrozen = true;
    for (const { client, server } of this.pairs) [client, server].forEach((socket) => socket.pause());
  }

  /** Closes all connections, and each new one at once. */
  cut(): void {
    this.isCut = true;
    this.endAll();
  }

  /** Undoes `freeze` and `cut`. */
  unfreeze(): void {
    this.isFrozen = false;
    this.isCut = false;
    for (const { client, server } of this.pairs) [client, server].forEach((socket) => socket.resume());
  }

  async close(): Promise<void> {
    this.endAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket, server: Socket): void {
    const pair = { client, server };
    this.connections += 1;
    this.pairs.add(pair);
    this.forward(client, server, (bytes) => this.onClientBytes(bytes, pair));
    this.forward(server, client, (bytes) => this.onServerBytes(bytes, pair));
    server.on('close', () => this.pairs.delete(pair));
    if (this.isFrozen) [client, server].forEach((socket) => socket.pause());
    if (this.isCut) [client, server].forEach((socket) => socket.destroy());
  }

  private endAll(): void {
    for (const { client, server } of this.pairs) [client, server].forEach((socket) => socket.destroy());
  }

  private forward(from: Socket, to: Socket, tap: (bytes: Buffer) => boolean): void {
    from.on('data', (bytes: Buffer) => void (tap(bytes) && to.write(bytes)));
    from
      .on('end', () => to.end())
      .on('close', () => to.destroy())
      .on('error', () => to.destroy());
  }
}
