import { Client } from 'pg';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { Caller } from '../support/caller';
import { findFreePort } from '../../src/local-services/managed-process';
import { ServerProcess } from '../support/server-process';
import { waitFor } from '../support/wait-for';

describe('a fault that nothing catches', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  const servers: ServerProcess[] = [];

  beforeAll(async () => {
    app = await startApp();
    ann = await createSignedInCaller(app);
  });
  afterAll(async () => {
    for (const server of servers) server.kill('SIGKILL');
    await app.close();
  });

  function start(entry: 'main' | 'worker', settings: Readonly<Record<string, string>> = {}): ServerProcess {
    const server = new ServerProcess(entry, { ...app.settings, ...settings });
    servers.push(server);
    return server;
  }

  /** Starts the API; on another port when a process took the free one meanwhile. */
  async function startApi(
    settings: Readonly<Record<string, string>> = {},
  ): Promise<{ server: ServerProcess; url: string }> {
    for (;;) {
      const port = await findFreePort();
      const server = start('main', { PORT: String(port), ...settings });
      const url = `http://127.0.0.1:${port}`;
      try {
        await waitFor('the API listens', () => isListening(url, server));
        return { server, url };
      } catch (error) {
        if (!String(error).includes('EADDRINUSE')) throw error;
      }
    }
  }

  function fatals({ lines }: ServerProcess): unknown[] {
    return lines.filter((line) => line.includes('"level":"fatal"')).map((line) => JSON.parse(line) as unknown);
  }

  it('is logged by the API, which answers what it accepted, even after a second fault, and exits with 1', async () => {
    const { server, url } = await startApi();
    const blocker = new Client({ connectionString: app.db.urls.superuser });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE');
    const accepted = new Caller(url, ann.token).post('/v1/jobs', { title: 'Accepted before the fault' });
    await waitFor('the request waits for the lock', () => isLockAwaited(blocker));

    server.kill('SIGUSR2');
    await server.waitForLine('a planted rejection');
    server.kill('SIGURG');
    await server.waitForLine('a planted exception');
    await blocker.query('COMMIT');
    await blocker.end();

    expect((await accepted).status).toBe(201);
    expect(await server.exited).toBe(1);
    expect(fatals(server)).toEqual([
      expect.objectContaining({
        event: 'unhandledRejection',
        msg: 'a planted rejection',
        stack: expect.stringContaining('at '),
      }),
      expect.objectContaining({ event: 'uncaughtException', msg: 'a planted exception' }),
    ]);
  });

  it('is logged by the worker, which exits with 1', async () => {
    const server = start('worker');
    await server.waitForLine('deliver-alerts: run');

    server.kill('SIGUSR2');

    expect(await server.exited).toBe(1);
    expect(fatals(server)).toEqual([
      expect.objectContaining({ event: 'unhandledRejection', msg: 'a planted rejection' }),
    ]);
  });

  it.each(['main', 'worker'] as const)('is logged as JSON when it ends the start of %s', async (entry) => {
    const wrongUrl = Object.assign(new URL(app.settings['DATABASE_URL']!), { password: 'wrong' }).href;
    const server = start(entry, { DATABASE_URL: wrongUrl });

    expect(await server.exited).toBe(1);
    const line = await server.waitForLine('"source":"ExceptionHandler"');
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      msg: expect.stringContaining('password authentication failed'),
    });
    expect(server.lines.join('\n')).not.toContain('[Nest]');
  });

  it('does not end the API at SIGTERM before its delay: not ready at once, open still', async () => {
    const { server, url } = await startApi({ SHUTDOWN_DELAY_SECONDS: '300' });
    const isReady = async () => (await fetch(`${url}/health/ready`)).status === 200;
    await waitFor('ready', isReady);

    server.kill('SIGTERM');
    await waitFor('not ready', async () => !(await isReady()));
    const meanwhile = await new Caller(url, ann.token).post('/v1/jobs', { title: 'Asked while it leaves' });
    server.kill('SIGKILL');

    expect([meanwhile.status, meanwhile.headers.get('connection')]).toEqual([201, 'close']);
  });
});

async function isListening(url: string, { exited: ended, lines }: ServerProcess): Promise<boolean> {
  const asked = fetch(`${url}/health/live`).then(
    () => true,
    () => false,
  );
  const answer = await Promise.race([asked, ended]);
  if (typeof answer !== 'boolean') throw new Error(lines.join('\n'));
  return answer;
}

async function isLockAwaited(client: Client): Promise<boolean> {
  const query = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass`;
  return (await client.query(query)).rows.length > 0;
}
