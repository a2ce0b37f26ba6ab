import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createUser, enableTotp, signInFrom } from '../support/accounts';
import { listEmails } from '../support/emails';

/** Returns the whole database of a test as text. */
async function dumpDatabase(app: TestApp): Promise<string> {
  const tables = await app.db.query<{ name: string }>(
    'superuser',
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname IN ('public', 'app', 'audit', 'auth')`,
  );
  const texts = await Promise.all(
    tables.map(({ name }) =>
      app.db.query<{ text: string | null }>('superuser', `SELECT string_agg(t::text, E'\\n') AS text FROM ${name} t`),
    ),
  );
  return texts.map(([row]) => row?.text ?? '').join('\n');
}

/** Returns the whole Redis of a test as text, queues included. */
async function dumpRedis({ redis }: TestApp): Promise<string> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.zrange(key, '0', '-1'),
    stream: (key) => redis.xrange(key, '-', '+'),
  };
  const keys = await redis.keys('*');
  const values = await Promise.all(keys.map(async (key) => [key, await read[await redis.type(key)]?.(key)]));
  return JSON.stringify(values);
}

/** Returns the encodings in which a secret could be stored. */
function listEncodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')];
}

describe('a secret', () => {
  let upwork: FakeUpwork;
  let app: TestApp;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: upwork.settings });
  });
  afterAll(async () => {
    await app.close();
    await upwork.stop();
  });

  it('sent by any route is nowhere in plain text: tables, audit, Redis, queues, responses', async () => {
    const anonymous = createAnonymousCaller(app);
    const account = await createUser(app);
    const user = await signInFrom(app, account);
    const answers: unknown[] = [];
    const { backupCodes } = await enableTotp(user, account);
    const other = await createUser(app);
    const { body: enrolment } = await (
      await signInFrom(app, other)
    ).post('/v1/auth/mfa/totp', { password: other.password });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const pair = {
      provider: 'upwork',
      accessToken: 'canary-access-7f31c9d2',
      refreshToken: 'canary-refresh-55e0ab41',
      expiresAt,
    };
    answers.push(await user.post('/v1/tokens', pair, { 'idempotency-key': 'canary' }));
    answers.push(await user.post('/v1/tokens', { ...pair, provider: 'canary-provider' }));
    answers.push(await user.post('/v1/tokens', { ...pair, expiresAt: 'canary' }));
    const { body: authorization } = await user.post('/v1/tokens/upwork/authorize');
    const back = new URL((await fetch(authorization.url, { redirect: 'manual' })).headers.get('location')!);
    const { body: again } = await user.post('/v1/tokens/upwork/authorize');
    const openState = new URL(again.url).searchParams.get('state')!;
    const connected = await user.get(back.pathname + back.search);
    answers.push(connected, await user.post(`/v1/tokens/${connected.body.id}/refresh`), await user.get('/v1/tokens'));
    answers.push(
      await anonymous.post('/v1/auth/register', { email: 'canary@example.com', password: 'canary password 4417' }),
    );
    answers.push(await anonymous.post('/v1/auth/login', { email: account.email, password: 'canary wrong 9921' }));
    const emails = await listEmails(await createAdminCaller(), 'canary@example.com');

    const secrets = [
      pair.accessToken,
      pair.refreshToken,
      account.password,
      'canary password 4417',
      'canary wrong 9921',
      enrolment.secret as string,
      ...backupCodes,
      openState,
      back.searchParams.get('code')!,
      back.searchParams.get('state')!,
      app.settings['SECRET_KEY']!,
      app.settings['ENCRYPTION_KEYS']!.split(':')[1]!,
      upwork.settings['UPWORK_CLIENT_SECRET']!,
      ...emails.map(({ text }) => /token=([\w-]+)/.exec(text)![1]!),
    ];
    const everywhere = [await dumpDatabase(app), await dumpRedis(app), JSON.stringify(answers)].join('\n');

    const found = secrets.flatMap(listEncodings).filter((form) => everywhere.includes(form));
    expect(found).toEqual([]);
    expect(everywhere).not.toContain('oauth2v2_');
    expect(secrets.length).toBeGreaterThan(20);
  });

  async function createAdminCaller() {
    return signInFrom(app, await createUser(app, { role: 'admin' }));
  }
});
