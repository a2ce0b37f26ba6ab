import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { waitUntilReady } from './readiness';

/** Every pause exceeds the idle limit, so the second poll without progress gives up. */
const LIMITS = { idleMs: 1, totalMs: 3_600_000 };

describe(waitUntilReady.name, () => {
  const servers: Server[] = [];
  const { signal } = new AbortController();

  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('waits while the process makes progress, and gives up without it', async () => {
    const url = await serve((request) => request.socket.destroy());
    let polls = 0;
    const progress = (): string => String(Math.min((polls += 1), 5));

    expect(await waitUntilReady(url, progress, signal, LIMITS)).toContain('it does not answer, without any progress');
    expect(polls).toBe(6);
  });

  it('counts a new answer as progress, but not CPU time with the same answer', async () => {
    let asked = 0;
    const url = await serve((_, response) => response.writeHead(503).end(`step ${Math.min((asked += 1), 4)}`));

    expect(await waitUntilReady(url, () => String(Math.random()), signal, LIMITS)).toContain('it answers step 4');
    expect(asked).toBe(5);
  });

  it('returns undefined when the API is ready', async () => {
    let asked = 0;
    const url = await serve((_, response) => response.writeHead((asked += 1) < 3 ? 503 : 200).end(String(asked)));

    expect(await waitUntilReady(url, () => '', signal, LIMITS)).toBeUndefined();
  });

  it('ends a start that makes progress endlessly', async () => {
    const url = await serve((request) => request.socket.destroy());

    expect(await waitUntilReady(url, () => String(Math.random()), signal, { idleMs: 1, totalMs: 60 })).toContain(
      'not ready after',
    );
  });
});
