import { createAccount, signInToDashboard } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller } from '../support/accounts';
import { Caller } from '../support/caller';
import { Database } from '../../src/platform/database/database';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { RateLimiterService } from '../../src/platform/http/access/rate-limiter.service';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { HealthService } from '../../src/platform/health/health.service';
import { runAsUser } from '../support/run-as-user';
import { DrainingService } from '../../src/platform/http/edge/draining.service';

describe('limits', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ settings: { RATE_LIMIT_PER_MINUTE: '5', TRUSTED_PROXIES: '127.0.0.1' } });
    // A busy machine may need more than 100 ms, and a request that passes uncounted has no headers.
    app.get(RateLimiterService).redisTimeoutMs = 60_000;
  });
  afterAll(() => app.close());

  function from(address: string): Record<string, string> {
    return { 'x-forwarded-for': address };
  }

  it('sends the limit with every response, including errors', async () => {
    const caller = createAnonymousCaller(app);

    const answers = [
      await caller.get('/v1/jobs', from('192.0.2.1')),
      await caller.get('/v1/nothing', from('192.0.2.1')),
      await caller.get('/v1/jobs?limit=%zz', from('192.0.2.1')),
      await caller.post('/v1/auth/login', '{', from('192.0.2.1')),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 404, 400, 400]);
    expect(answers.map(({ headers }) => headers.get('ratelimit-policy'))).toEqual(Array(4).fill('"general";q=5;w=60'));
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual(
      [4, 3, 2, 1].map((left) => expect.stringMatching(`^"general";r=${left};t=\\d+$`)),
    );
  });

  it('answers 429 with Retry-After above the limit, except for probes', async () => {
    const caller = createAnonymousCaller(app);
    for (let sent = 0; sent < 5; sent += 1) await caller.get('/v1/nothing', from('192.0.2.2'));

    const rejected = await caller.get('/v1/nothing', from('192.0.2.2'));
    const probe = await caller.get('/health/live', from('192.0.2.2'));

    expect([rejected.status, rejected.body.code]).toEqual([429, 'rate.limited']);
    expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(rejected.headers.get('ratelimit')).toMatch(/^"general";r=0;t=\d+$/);
    expect(rejected.headers.get('content-type')).toContain('application/problem+json');
    expect([probe.status, probe.headers.get('ratelimit')]).toEqual([200, null]);
  });

  it('counts a user from all addresses together, and not for the address', async () => {
    const ann = await createSignedInCaller(app);
    for (let sent = 0; sent < 5; sent += 1) await ann.get('/v1/users/me', from(`192.0.2.${10 + sent}`));

    const rejected = await ann.get('/v1/users/me', from('192.0.2.99'));
    const neighbour = await createAnonymousCaller(app).get('/v1/nothing', from('192.0.2.10'));
    const forged = await new Caller(app.url, `${ann.token}x`).get('/v1/users/me', from('192.0.2.98'));

    expect([rejected.status, neighbour.status, forged.status]).toEqual([429, 404, 401]);
  });
});

describe('health and metrics', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('is live and ready', async () => {
    const live = await createAnonymousCaller(app).get('/health/live');
    const ready = await createAnonymousCaller(app).get('/health/ready');

    expect([live.status, live.body]).toEqual([200, { status: 'ok' }]);
    expect([ready.status, ready.body]).toEqual([
      200,
      {
        status: 'ready',
        checks: expect.objectContaining({
          postgres: { status: 'ok' },
          redis: { status: 'ok' },
          partitions: { status: 'ok' },
        }),
      },
    ]);
  });

  it('labels metrics by route pattern, not by path', async () => {
    await createAnonymousCaller(app).get('/v1/jobs/123456');
    await createAnonymousCaller(app).get('/nothing/987654');

    const { status, headers, body } = await createAnonymousCaller(app).get<string>('/metrics');

    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(body).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/v1\/jobs\/:id",status="401"\} \d/);
    expect(body).toContain('route="unknown"');
    expect(body).not.toMatch(/="[^"]*(?:123456|987654)/);
    expect(body).toMatch(/database_pool_connections\{role="app",state="total"\} \d/);
    expect(body).toContain('nodejs_eventloop_lag_seconds');
  });

  it('is not ready without Redis, names the check, and still answers', async () => {
    const lame = await startApp({
      sharedWith: app,
      settings: { REDIS_URL: 'redis://127.0.0.1:1', RATE_LIMIT_PER_MINUTE: '5' },
    });

    const ready = await createAnonymousCaller(lame).get('/health/ready');
    const unlimited = await createAnonymousCaller(lame).get('/v1/nothing');

    expect([ready.status, ready.body.checks.redis.status]).toEqual([503, 'failed']);
    expect([unlimited.status, unlimited.headers.get('ratelimit')]).toEqual([404, null]);
    await lame.close();
  });

  it('is not ready while it stops', async () => {
    const leaving = await startApp({ sharedWith: app });
    leaving.get(DrainingService).onModuleDestroy();

    const { status, headers, body } = await createAnonymousCaller(leaving).get('/health/ready');

    expect([status, body.checks.process.detail]).toEqual([503, 'stopping']);
    expect(headers.get('connection')).toBe('close');
    await leaving.close();
  });

  it('is not ready while requests hold every connection of the pool', async () => {
    const lame = await startApp({ sharedWith: app, settings: { DATABASE_POOL_SIZE: '1' } });
    lame.get(HealthService).checkTimeoutMs = 1_000;

    const ready = await runAsUser(1, () =>
      lame.get(Database).transaction(async (unit) => {
        await unit.query('SELECT 1');
        return createAnonymousCaller(lame).get('/health/ready');
      }),
    );

    expect([ready.status, ready.body.checks.postgres]).toEqual([
      503,
      { status: 'failed', detail: 'no answer in time' },
    ]);
    await lame.close();
  });

  it.each([
    ['default_transaction_read_only = on', 'read-only'],
    ['temp_file_limit = 8', 'out of resources'],
  ])('is not ready with %s', async (setting, detail) => {
    // The check at start refuses settings of a login, not those of a database.
    const change = (action: string) =>
      app.db.query('superuser', `SET TRANSACTION READ WRITE; ALTER DATABASE ${app.db.name} ${action}`);
    await change(`SET ${setting}`);
    const lame = await startApp({ sharedWith: app });

    const ready = await createAnonymousCaller(lame).get('/health/ready');
    await change('RESET ALL');
    await lame.close();

    expect([ready.status, ready.body.checks.postgres]).toEqual([503, { status: 'failed', detail }]);
  });

  it('is not ready when PostgreSQL no longer knows the key of its contexts', async () => {
    const lame = await startApp({ sharedWith: app });
    const setReplacedAt = (time: string) =>
      app.db.query('superuser', `UPDATE secrets.context_keys SET replaced_at = ${time} WHERE login = 'gigvault_app'`);
    await setReplacedAt(`now() - interval '2 days'`);

    const ready = await createAnonymousCaller(lame).get('/health/ready');
    await setReplacedAt('NULL');
    await lame.close();

    expect([ready.status, ready.body.checks.postgres]).toEqual([
      503,
      { status: 'failed', detail: 'context key not known' },
    ]);
  });

  it('is not ready when its clock has left the time in which PostgreSQL accepts a context', async () => {
    const lame = await startApp({ sharedWith: app });
    const now = jest.spyOn(ContextSigner.prototype, 'now').mockReturnValue(Date.now() - 60_000);

    const ready = await createAnonymousCaller(lame).get('/health/ready');
    now.mockRestore();
    await lame.close();

    expect([ready.status, ready.body.checks.postgres]).toEqual([503, { status: 'failed', detail: 'clocks differ' }]);
  });

  it('is ready with warnings, which show no error text', async () => {
    const lame = await startApp({
      sharedWith: app,
      settings: { DATABASE_MONITOR_URL: 'postgres://canary:canary@127.0.0.1:1/x' },
    });

    const ready = await createAnonymousCaller(lame).get('/health/ready');

    expect([ready.status, ready.body.checks.partitions]).toEqual([200, { status: 'warning', detail: 'not known' }]);
    expect(JSON.stringify(ready.body)).not.toContain('canary');
    await lame.close();
  });
});

describe('in production', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      settings: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'silent',
        PASSWORD_HASH_COST: '12',
        SMTP_URL: 'smtp://127.0.0.1:1',
        PUBLIC_URL: 'https://api.example.com',
      },
    });
  });
  afterAll(() => app.close());

  it('shows the contract to signed-in users only, for all spellings of the path', async () => {
    const ann = await createSignedInCaller(app);
    const paths = [
      '/docs',
      '/docs/',
      '/%64ocs',
      '/docs-json',
      '/docs/swagger-ui-init.js',
      '/docs/swagger-ui.css',
      '/docs?x=1',
    ];

    for (const path of paths) expect([path, (await createAnonymousCaller(app).get(path)).status]).toEqual([path, 401]);
    expect((await ann.get('/docs-json')).body).toMatchObject({ openapi: '3.1.0' });
    expect((await createAnonymousCaller(app).get('/docs/errors')).status).toBe(200);
  });

  it('shows the contract to an admin of the dashboard and redirects other browsers to its sign-in', async () => {
    const account = await createAccount(app, 'admin');
    const cookie = await signInToDashboard(app, account);
    expect(cookie).toMatch(/^gigvault_admin=/);
    await app.get(SessionsService).markMfa(account.id, true);
    const html = { accept: 'text/html' };
    const stranger = await fetch(`${app.url}/docs`, { headers: html, redirect: 'manual' });

    for (const path of ['/docs', '/docs/swagger-ui-init.js', '/docs-json']) {
      expect([path, (await fetch(app.url + path, { headers: { cookie } })).status]).toEqual([path, 200]);
    }
    expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/admin/sign-in']);
    expect(
      (await fetch(`${app.url}/docs`, { headers: { ...html, cookie: 'gigvault_admin=1.2.3.4' }, redirect: 'manual' }))
        .status,
    ).toBe(303);
  });

  it('has no page of the local outbox', async () => {
    const account = await createAccount(app, 'admin');
    const cookie = await signInToDashboard(app, account);
    await app.get(SessionsService).markMfa(account.id, true);
    const get = (path: string): Promise<Response> => fetch(app.url + path, { headers: { cookie } });

    for (const path of ['/admin/mail', '/admin/mail/1', '/admin/events?view=mail'])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    expect(await (await get('/admin')).text()).not.toContain('/admin/mail');
  });

  it('shows the metrics to admins only', async () => {
    const ann = await createSignedInCaller(app);
    const root = await createSignedInCaller(app, { role: 'admin' });
    await app.get(SessionsService).markMfa(root.id, true);

    const statuses = [
      await createAnonymousCaller(app).get('/metrics'),
      await ann.get('/metrics'),
      await root.get('/metrics'),
    ].map(({ status }) => status);

    expect(statuses).toEqual([401, 403, 200]);
  });

  it('sends HSTS', async () => {
    expect((await createAnonymousCaller(app).get('/health/live')).headers.get('strict-transport-security')).toContain(
      'max-age=31536000',
    );
  });
});
