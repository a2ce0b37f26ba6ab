import { Socket } from 'node:net';

/** Counts what reaches the operating system through sockets while `work` runs; with `port` only those connected to it. */
export async function socketWrites<T>(work: () => Promise<T>, port?: number): Promise<{ writes: number; result: T }> {
  const prototype = Socket.prototype as unknown as Record<'_write' | '_writev', (...args: unknown[]) => void>;
  const { _write, _writev } = prototype;
  let writes = 0;
  const counted = (write: (...args: unknown[]) => void) =>
    function (this: Socket, ...args: unknown[]): void {
      if (port === undefined || this.remotePort === port) writes += 1;
      write.apply(this, args);
    };
  Object.assign(prototype, { _write: counted(_write), _writev: counted(_writev) });
  try {
    const result = await work();
    return { writes, result };
  } finally {
    Object.assign(prototype, { _write, _writev });
  }
}
