import { createAccount, signInToDashboard, rawRequest } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { readEvents } from '../support/server-sent-events';
import { waitFor } from '../support/wait-for';
import { DedicatedRedis } from '../support/dedicated-redis';
import { TcpProxy } from '../support/tcp-proxy';
import { testServices } from '../support/test-services';

describe('the dashboard while Redis does not answer', () => {
  const redis = new DedicatedRedis();
  let app: TestApp;
  let cookie: string;

  beforeAll(async () => {
    await redis.start();
    app = await startApp({ settings: { REDIS_URL: redis.url } });
    cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
    app.redis.options.commandTimeout = 1_000;
  });
  afterEach(() => redis.signal('SIGCONT'));
  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  const openPage = (path: string) => rawRequest(app, path, { cookie, accept: 'text/html' });

  it.each(['/admin', '/admin/users/8', '/admin/queues'])(
    'shows an error page at %s that reloads, and recovers',
    async (path) => {
      redis.signal('SIGSTOP');
      const answer = await waitFor('the fault is noticed', async () => {
        const page = await openPage(path);
        return page.status === 503 ? page : undefined;
      });
      redis.signal('SIGCONT');

      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(answer.location).toBeUndefined();
      expect(answer.body).toMatch(/<meta http-equiv="refresh" content="5"\/>/);
      expect(answer.body).toContain('<h1>Redis unavailable</h1>');
      expect(answer.body).toContain(`<a href="${path}">Try again</a>`);
      await waitFor('the page is back', async () => (await openPage(path)).status !== 503);
    },
  );

  it('sends problem details to programs', async () => {
    redis.signal('SIGSTOP');
    const answer = await waitFor('the fault is noticed', async () => {
      const problem = await rawRequest(app, '/admin', { cookie });
      return problem.status === 503 ? problem : undefined;
    });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'service.unavailable' });
  });

  it('notifies an open page that it is stale, and when it is live again', async () => {
    const { events } = await readEvents(`${app.url}/admin/events?view=task:watch-access`, {
      token: '',
      headers: { cookie },
      take: 3,
      onEvent: (_, index) => redis.signal(index === 0 ? 'SIGSTOP' : 'SIGCONT'),
    });

    expect(events.map(({ event }) => event).slice(0, 2)).toEqual(['parts', 'stale']);
    expect(['fresh', 'parts']).toContain(events[2]?.event);
  });
});

describe('the dashboard while PostgreSQL is unavailable', () => {
  let direct: TestApp;
  let proxy: TcpProxy;
  let app: TestApp;
  let cookie: string;

  beforeAll(async () => {
    direct = await startApp();
    proxy = await TcpProxy.start(testServices().postgres.port);
    const urls = Object.entries(direct.settings).filter(([name]) => /^DATABASE_(\w+_)?URL$/.test(name));
    app = await startApp({
      sharedWith: direct,
      settings: {
        ...Object.fromEntries(urls.map(([name, url]) => [name, proxy.buildUrl(url)])),
        DATABASE_CONNECT_TIMEOUT_MS: '2000',
      },
    });
    cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
  });
  afterEach(() => proxy.unfreeze());
  afterAll(async () => {
    await app.close();
    await proxy.close();
    await direct.close();
  });

  const openPage = (path: string, accept = 'text/html') => rawRequest(app, path, { cookie, accept });

  describe.each([
    ['does not answer', () => proxy.freeze()],
    ['refuses connections', () => proxy.cut()],
  ])('because it %s', (_how, simulateFault) => {
    it.each(['/admin', '/admin/runs'])('shows an error page at %s that reloads, and recovers', async (path) => {
      simulateFault();
      // At first 500: health checks notice the fault a second late, and ECONNRESET is no Error of Jest's realm.
      const answer = await waitFor('the fault is noticed', async () => {
        const page = await openPage(path);
        return page.status === 503 && page.body.includes('<h1>PostgreSQL unavailable</h1>') ? page : undefined;
      });
      const problem = await openPage(path, 'application/json');
      proxy.unfreeze();

      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.location).toBeUndefined();
      expect(answer.body).toMatch(/<meta http-equiv="refresh" content="5"\/>/);
      expect(answer.body).toContain(`<a href="${path}">Try again</a>`);
      expect(JSON.parse(problem.body)).toMatchObject({ status: 503, code: 'service.unavailable' });
      await waitFor('the page is back', async () => (await openPage(path)).status === 200);
    });

    it('still shows the queue, which needs Redis alone', async () => {
      simulateFault();
      expect((await openPage('/admin/queues')).status).toBe(200);
    });

    it('notifies an open page that it is stale, and when it is live again', async () => {
      const { events } = await readEvents(`${app.url}/admin/events?view=task:watch-access`, {
        token: '',
        headers: { cookie },
        take: 3,
        onEvent: (_, index) => (index === 0 ? simulateFault() : proxy.unfreeze()),
      });

      expect(events.map(({ event }) => event).slice(0, 2)).toEqual(['parts', 'stale']);
      expect(['fresh', 'parts']).toContain(events[2]?.event);
    });
  });
});
