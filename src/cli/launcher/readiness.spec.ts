import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { waitUntilReady } from './readiness';

/** No pause is shorter than the idle limit, so what makes no progress is given up at its second look. */
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

  it('waits for as long as the process gets on, and gives up when it does not', async () => {
    const url = await serve((request) => request.socket.destroy());
    let looks = 0;
    const progress = (): string => String(Math.min((looks += 1), 5));

    expect(await waitUntilReady(url, progress, signal, LIMITS)).toContain('it does not answer, without any progress');
    expect(looks).toBe(6);
  });

  it('takes another answer for progress, but not work without another answer', async () => {
    let asked = 0;
    const url = await serve((_, response) => response.writeHead(503).end(`step ${Math.min((asked += 1), 4)}`));

    expect(await waitUntilReady(url, () => String(Math.random()), signal, LIMITS)).toContain('it answers step 4');
    expect(asked).toBe(5);
  });

  it('has nothing to say of an API that is ready', async () => {
    let asked = 0;
    const url = await serve((_, response) => response.writeHead((asked += 1) < 3 ? 503 : 200).end(String(asked)));

    expect(await waitUntilReady(url, () => '', signal, LIMITS)).toBeUndefined();
  });

  it('ends a start that gets on for ever', async () => {
    const url = await serve((request) => request.socket.destroy());

    expect(await waitUntilReady(url, () => String(Math.random()), signal, { idleMs: 1, totalMs: 60 })).toContain(
      'not ready after',
    );
  });
});
