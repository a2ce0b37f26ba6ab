import { Test } from '@nestjs/testing';
import { Config } from '../../src/platform/config/config';
import { ConfigModule } from '../../src/platform/config/config.module';
import { loadServerConfig } from '../../src/platform/config/load-config';
import { DatabaseModule } from '../../src/platform/database/database.module';
import { EncryptionModule } from '../../src/platform/encryption/encryption.module';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import { KeyServiceUnavailable } from '../../src/platform/encryption/kms/key-service';
import { RedisModule } from '../../src/platform/redis/redis.module';
import { createAnonymousCaller, createUser, enableTotp, signInFrom } from '../support/accounts';
import { FakeAwsKms } from '../support/fake-aws-kms';
import { FakeVault } from '../support/fake-vault';
import { freezeDate, type FrozenDate } from '../support/frozen-date';
import { buildSecretContext, createSecrets, type Sealed, startReaders } from '../support/sealed-secrets';
import { startApp, type TestApp } from '../support/test-app';
import { createManualWorker } from '../support/test-worker';
import { waitFor } from '../support/wait-for';

const vault = new FakeVault();
const aws = new FakeAwsKms();
/** The time for which a cached key is not unwrapped again. */
const LIFETIME_MS = 60_000;
const CACHE_SECONDS = 600;

beforeAll(async () => {
  for (const fake of [vault, aws]) {
    await fake.start();
    fake.createKey('gigvault');
  }
});

afterAll(async () => {
  for (const fake of [vault, aws]) await fake.stop();
});

const open = (process: TestApp, { userId, value }: Sealed) =>
  process.get(EncryptionService).open(value, buildSecretContext(userId));

async function readState(app: TestApp): Promise<{ readonly status: string; readonly detail?: string }> {
  const { checks } = (await (await fetch(`${app.url}/health/ready`)).json()) as {
    checks: { encryption: { status: string; detail?: string } };
  };
  return checks.encryption;
}

describe('a key management service', () => {
  let app: TestApp;
  let now = 0;
  let advance: FrozenDate['advance'];

  beforeAll(async () => {
    app = await startApp({
      settings: {
        ...vault.settings,
        ENCRYPTION_KEYS: vault.buildEntry('v1', 'gigvault'),
        KMS_CACHE_SECONDS: String(CACHE_SECONDS),
      },
    });
  });
  // The tests move the date forward, and a process whose date goes back is no case of operation.
  beforeEach(() => ({ advance } = freezeDate(Math.max(now, Date.now()))));
  afterEach(async () => {
    await vault.start();
    await waitUntilReady();
    now = Date.now();
    jest.useRealTimers();
  });
  afterAll(() => app.close());

  const waitUntilReady = () =>
    waitFor('readiness is ok', async () => {
      advance(31_000);
      return (await readState(app)).status === 'ok';
    });

  it('that is down stops no read for the stated time, and readiness says since when', async () => {
    const [secret] = await createSecrets(app, 1);
    await vault.stop();

    advance(LIFETIME_MS);
    const since = new Date().toISOString();
    expect(await open(app, secret!)).toBe(`secret ${secret!.userId}`);
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
    const state = await readState(app);
    for (let ms = 0; ms < CACHE_SECONDS * 1_000 - 1; ms += 30_000) {
      expect(await open(app, secret!)).toBe(`secret ${secret!.userId}`);
      advance(30_000);
    }
    await expect(open(app, secret!)).rejects.toThrow(KeyServiceUnavailable);
    await vault.start();
    advance(1_000);

    expect(await open(app, secret!)).toBe(`secret ${secret!.userId}`);
    expect(state).toMatchObject({ status: 'warning' });
    expect(state.detail).toContain(`master key v1, since ${since}: Vault does not answer: ECONNREFUSED`);
    await waitUntilReady();
  });

  it('that is down keeps no key that was destroyed', async () => {
    const [secret] = await createSecrets(app, 1);
    await vault.stop();
    advance(LIFETIME_MS);
    expect(await open(app, secret!)).toBe(`secret ${secret!.userId}`);

    // Another process destroys the key, and its notification is lost.
    await app.db.query('superuser', `DELETE FROM data_keys WHERE user_id = $1`, [secret!.userId]);
    advance(LIFETIME_MS);
    const failure = await open(app, secret!).catch((error: Error) => error.message);
    await vault.start();
    advance(1_000);

    expect(failure).toContain('destroyed');
  });

  it('that is down answers 503 to a request that needs a new data key', async () => {
    const account = await createUser(app);
    const caller = await signInFrom(app, account);
    await vault.stop();
    const response = await caller.post('/v1/auth/mfa/totp', { password: account.password });
    await vault.start();

    expect(response).toMatchObject({ status: 503, body: { code: 'service.unavailable' } });
    expect(JSON.stringify(response.body)).not.toContain('Vault');
  });

  it('that is down answers 503 to the code of a second factor, which does not count as wrong', async () => {
    const account = await createUser(app);
    const { authenticator } = await enableTotp(await signInFrom(app, account), account);
    const anonymous = createAnonymousCaller(app);
    const { email, password } = account;
    advance(LIFETIME_MS + CACHE_SECONDS * 1_000);
    const { mfaToken } = (await anonymous.post('/v1/auth/login', { email, password })).body as { mfaToken: string };
    const code = authenticator.generateCode((LIFETIME_MS + CACHE_SECONDS * 1_000) / 30_000);
    const send = () => anonymous.post('/v1/auth/login/mfa', { mfaToken, code });
    await vault.stop();

    for (let i = 0; i < 12; i++)
      expect(await send()).toMatchObject({ status: 503, body: { code: 'service.unavailable' } });
    await vault.start();
    advance(1_000);

    expect(await send()).toMatchObject({ status: 200 });
  });

  it('that does not answer holds no transaction of a request with an Idempotency-Key', async () => {
    const caller = await signInFrom(app, await createUser(app));
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const body = { provider: 'upwork', accessToken: 'an-access-token', refreshToken: 'a-refresh-token', expiresAt };
    const store = () => caller.post('/v1/tokens', body, { 'idempotency-key': 'while-the-service-is-silent' });
    const { requests } = vault;
    vault.isSilent = true;
    const sending = store();
    await waitFor('the service is asked', () => vault.requests > requests);
    const open = await app.db.query(
      'superuser',
      `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    await vault.stop();
    vault.isSilent = false;
    const refused = await sending;
    await vault.start();
    advance(1_000);

    expect(open).toEqual([]);
    expect(refused).toMatchObject({ status: 503, body: { code: 'service.unavailable' } });
    expect((await store()).status).toBe(201);
    await vault.stop();
    expect(await store()).toMatchObject({ status: 201, body: { provider: 'upwork' } });
  });

  it('that is down refreshes no connection, and its owner does not read the reason', async () => {
    const user = await signInFrom(app, await createUser(app));
    const pair = { accessToken: 'an-access-token', refreshToken: 'a-refresh-token' };
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { body: connection } = await user.post('/v1/tokens', { provider: 'upwork', ...pair, expiresAt });
    advance(LIFETIME_MS + CACHE_SECONDS * 1_000);
    await vault.stop();

    const refreshed = await user.post(`/v1/tokens/${connection.id}/refresh`);
    const { body: seen } = await user.get(`/v1/tokens/${connection.id}`);

    expect(refreshed).toMatchObject({ status: 503, body: { code: 'service.unavailable' } });
    expect(seen).toMatchObject({ status: 'failing', lastError: 'The key management service is not available' });
  });

  it('that is down is noticed without a request', async () => {
    await vault.stop();
    await waitFor('readiness warns', async () => {
      advance(31_000);
      return (await readState(app)).status === 'warning';
    });
    await vault.start();
    await waitUntilReady();
  });

  it('sees data keys that are never stored in plain in the database or in Redis', async () => {
    await createSecrets(app, 3);
    const tables = await app.db.query<{ text: string }>(
      'superuser',
      `SELECT k::text AS text FROM data_keys k UNION ALL SELECT a::text FROM audit_logs a`,
    );
    const names = await app.redis.keys('*');
    const dumps = await Promise.all(names.map((name) => app.redis.dumpBuffer(name)));
    const stored = Buffer.concat([
      Buffer.from(JSON.stringify(tables)),
      ...dumps.map((dump) => dump ?? Buffer.alloc(0)),
    ]);

    expect(vault.seen.size).toBeGreaterThanOrEqual(3);
    expect(vault.listPlainDataKeys().filter((form) => stored.includes(form))).toEqual([]);
  });
});

describe.each([
  { name: 'Vault', fake: vault },
  { name: 'AWS', fake: aws },
])('a key of $name that is disabled', ({ fake }) => {
  let app: TestApp;

  beforeAll(async () => {
    const keys = { ENCRYPTION_KEYS: fake.buildEntry('k1', 'gigvault'), KMS_CACHE_SECONDS: String(CACHE_SECONDS) };
    app = await startApp({ settings: { ...fake.settings, ...keys } });
  });
  afterEach(() => {
    fake.keys.get('gigvault')!.isDisabled = false;
    jest.useRealTimers();
  });
  afterAll(() => app.close());

  it('serves by data keys in memory for the stated time, warns since when, and then answers 503', async () => {
    const { advance } = freezeDate();
    const user = await signInFrom(app, await createUser(app));
    const tokens = { accessToken: 'an-access-token', refreshToken: 'a-refresh-token' };
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const store = () => user.post('/v1/tokens', { provider: 'upwork', ...tokens, expiresAt });
    expect((await store()).status).toBe(201);
    fake.keys.get('gigvault')!.isDisabled = true;
    advance(LIFETIME_MS);
    const since = new Date().toISOString();

    expect((await store()).status).toBe(200);
    const state = await readState(app);
    expect(state.status).toBe('warning');
    expect(state.detail).toMatch(new RegExp(`^master key k1, since ${since}: (Vault|AWS KMS) refuses `));
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
    advance(CACHE_SECONDS * 1_000 - 1);
    expect((await store()).status).toBe(200);
    advance(1);
    const refused = await store();

    expect(refused).toMatchObject({ status: 503, body: { code: 'service.unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(JSON.stringify(refused.body)).not.toMatch(/Vault|KMS|refuse/);
    fake.keys.get('gigvault')!.isDisabled = false;
    expect((await store()).status).toBe(200);
    expect(await readState(app)).toMatchObject({ status: 'ok' });
  });
});

/** Starts the encryption of another process beside the first: the test starts nine, and needs no routes. */
async function startEncryption(first: TestApp, keys: readonly string[]): Promise<TestApp> {
  const settings = { ...first.settings, ENCRYPTION_KEYS: keys.join(',') };
  const module = await Test.createTestingModule({
    imports: [ConfigModule, DatabaseModule, RedisModule, EncryptionModule],
  })
    .overrideProvider(Config)
    .useValue(loadServerConfig('api', settings))
    .compile();
  await module.init();
  return { ...first, settings, get: (token) => module.get(token, { strict: false }), close: () => module.close() };
}

it('changes from the environment to Vault, to AWS and back without a failed read', async () => {
  const local = `k1:${Buffer.alloc(32, 9).toString('base64')}`;
  const [inVault, inAws] = [vault.buildEntry('v1', 'gigvault'), aws.buildEntry('a1', 'gigvault')];
  const settings = { ...vault.settings, ...aws.settings };
  const first = await startApp({ settings: { ...settings, ENCRYPTION_KEYS: local } });
  const { db } = first;
  const start = (...keys: string[]) => startEncryption(first, keys);
  const sealed = await createSecrets(first, 40);
  let old = first;
  const counts = { opened: 0, failed: 0 };

  for (const [from, to] of [
    [local, inVault],
    [inVault, inAws],
    [inAws, local],
  ] as const) {
    // All processes get the new key, then use it first, as README.md describes.
    const [appended, next] = [await start(from, to), await start(to, from)];
    const readers = startReaders([old, appended, next], sealed);
    const worker = await createManualWorker(next);
    sealed.push(...(await createSecrets(appended, 5)), ...(await createSecrets(next, 5)));
    await readers.stop();
    await (old === first ? first.app.close() : old.close());
    await appended.close();
    const loaded = startReaders([next], sealed);
    await db.query('superuser', 'INSERT INTO key_rotations (key_id) VALUES ($1)', [to.split(':')[0]]);
    await worker.runTask('rotate-encryption-keys');
    sealed.push(...(await createSecrets(next, 5)));
    await loaded.stop();
    await worker.close();
    for (const each of [readers.counts, loaded.counts]) {
      counts.opened += each.opened;
      counts.failed += each.failed;
    }
    const left = await db.query('superuser', `SELECT 1 FROM data_keys WHERE split_part(wrapped_key, '.', 2) <> $1`, [
      to.split(':')[0],
    ]);
    expect(left).toEqual([]);
    const fresh = await start(to);
    for (const secret of sealed) expect(await open(fresh, secret)).toBe(`secret ${secret.userId}`);
    await next.close();
    old = fresh;
  }
  await old.close();
  await db.end();

  expect(counts.failed).toBe(0);
  expect(counts.opened).toBeGreaterThan(sealed.length);
});
