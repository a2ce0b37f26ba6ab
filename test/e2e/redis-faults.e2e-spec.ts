import { HealthService } from '../../src/platform/health/health.service';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createUser, type Credentials } from '../support/accounts';
import type { Answer } from '../support/caller';
import { DedicatedRedis } from '../support/dedicated-redis';
import { waitFor } from '../support/wait-for';

interface Readiness {
  readonly checks: Record<string, { detail?: string }>;
}

describe('a Redis that', () => {
  const redis = new DedicatedRedis();
  let app: TestApp;
  let ann: Credentials;
  let refreshToken: string;

  beforeAll(async () => {
    await redis.start();
    app = await startApp({ settings: { REDIS_URL: redis.url } });
    app.get(HealthService).maxAgeMs = 0;
    ann = await createUser(app);
    ({ refreshToken } = (await login()).body);
  });
  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  async function login(): Promise<Answer<{ refreshToken: string; code: string }>> {
    return createAnonymousCaller(app).post('/v1/auth/login', { email: ann.email, password: ann.password });
  }

  it.each<[string, string, string[], string[]]>([
    ['is full', 'out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['became a replica', 'read-only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    [
      'lost its replicas',
      'too few replicas',
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    ],
  ])(
    '%s makes what it is needed for 503 with Retry-After, and readiness says so at once',
    async (_, detail, [breaks = '', ...with_], [mends = '', ...again]) => {
      await redis.command(breaks, ...with_);
      const answers = [
        await login(),
        await createAnonymousCaller(app).post('/v1/auth/refresh', { refreshToken }),
        await createAnonymousCaller(app).post('/v1/auth/register', {
          email: 'new@example.com',
          password: 'seven green umbrellas',
        }),
      ];
      // After READONLY a client resolves the name again and reconnects for a moment.
      const ready = await readyOnce(503, detail);
      await redis.command(mends, ...again);
      const recovered = await readyOnce(200);

      expect(answers.map(({ status, body }) => [status, (body as { code: string }).code])).toEqual(
        Array(3).fill([503, 'service.unavailable']),
      );
      expect(answers.every(({ headers }) => headers.has('retry-after'))).toBe(true);
      expect(ready.body.checks.redis).toEqual({ status: 'failed', detail });
      expect(recovered.body.checks.redis).toEqual({ status: 'ok' });
      expect((await login()).status).toBe(200);
    },
  );

  it('is frozen is 503 with Retry-After, and works again when it continues', async () => {
    const { commandTimeout } = app.redis.options;
    const health = app.get(HealthService);
    const { checkTimeoutMs } = health;
    redis.signal('SIGSTOP');
    app.redis.options.commandTimeout = health.checkTimeoutMs = 100;
    const answer = await login();
    const ready = await readyOnce(503);
    app.redis.options.commandTimeout = commandTimeout;
    health.checkTimeoutMs = checkTimeoutMs;
    redis.signal('SIGCONT');
    await readyOnce(200);

    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
    expect(ready.body.checks.redis).toEqual({ status: 'failed', detail: 'no answer in time' });
    expect((await login()).status).toBe(200);
  });

  /** Waits for a response: a client that reconnects fails probes for another reason. */
  async function readyOnce(status: number, detail?: string): Promise<Answer<Readiness>> {
    const isExpected = (answer: Answer<Readiness>) =>
      answer.status === status && (detail === undefined || answer.body.checks['redis']?.detail === detail);
    return waitFor(`readiness answers ${status}`, async () => {
      const answer = await createAnonymousCaller(app).get<Readiness>('/health/ready');
      return isExpected(answer) ? answer : undefined;
    });
  }
});
