import { createServer } from 'node:net';

/** Returns a port of 127.0.0.1 nobody listens on: the preferred one if it is free, else one the system picks. */
export async function freePort(preferred = 0): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? 0;
}

/** Says whether a server could listen on this address now. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  return (await tryPort(port, host)) !== undefined;
}

function tryPort(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      const chosen = address && typeof address === 'object' ? address.port : undefined;
      server.close(() => resolve(chosen));
    });
  });
}
