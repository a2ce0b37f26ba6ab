import { anAccount, dashboardCookie, rawRequest } from '../support/admin-browser';
import { startApp, type TestApp } from '../support/app';
import { readEvents } from '../support/events';
import { eventually } from '../support/eventually';
import { OwnRedis } from '../support/own-redis';

describe('the dashboard while Redis does not answer', () => {
  const redis = new OwnRedis();
  let app: TestApp;
  let cookie: string;

  beforeAll(async () => {
    await redis.start();
    app = await startApp({ settings: { REDIS_URL: redis.url } });
    cookie = await dashboardCookie(app, await anAccount(app, 'admin'));
    app.redis.options.commandTimeout = 1_000;
  });
  afterEach(() => redis.signal('SIGCONT'));
  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  const open = (path: string) => rawRequest(app, path, { cookie, accept: 'text/html' });

  it.each(['/admin', '/admin/users/8', '/admin/queues'])('is a page that says so at %s, tries again there, and recovers', async (path) => {
    redis.signal('SIGSTOP');
    const answer = await eventually('it is noticed', async () => {
      const page = await open(path);
      return page.status === 503 ? page : undefined;
    });
    redis.signal('SIGCONT');

    expect(answer!.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer!.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer!.location).toBeUndefined();
    expect(answer!.body).toMatch(/<meta http-equiv="refresh" content="5" \/>/);
    expect(answer!.body).toContain('Redis');
    expect(answer!.body).toContain(`<a href="${path}">Try again</a>`);
    await eventually('the page is back', async () => (await open(path)).status !== 503);
  });

  it('stays a problem for programs', async () => {
    redis.signal('SIGSTOP');
    const answer = await eventually('it is noticed', async () => {
      const problem = await rawRequest(app, '/admin', { cookie });
      return problem.status === 503 ? problem : undefined;
    });
    expect(JSON.parse(answer!.body)).toMatchObject({ code: 'service.unavailable' });
  });

  it('tells an open page that it is not live, and when it is again', async () => {
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
