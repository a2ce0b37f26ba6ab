import { Client } from 'pg';
import { ChangeFeed } from '../../src/platform/cache/cache';
import { findPrimaryUrl } from '../../src/platform/database/driver/primary-host';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { type Certificates, createCertificates } from '../support/certificates';
import { buildJob } from '../support/factories/job.factory';
import { PostgresPair } from '../support/postgres-pair';
import { buildTestConfig } from '../support/test-config';
import { startApp, type TestApp } from '../support/test-app';
import { createTestRedisUrl } from '../support/test-redis';
import { waitFor } from '../support/wait-for';

describe('A primary and an asynchronous replica', () => {
  let pair: PostgresPair;
  let apps: TestApp[];
  let ann: SignedInCaller;

  beforeEach(async () => {
    pair = new PostgresPair();
    await pair.start();
    const first = await startOnPair();
    apps = [first, await startApp({ sharedWith: first })];
    ann = await createSignedInCaller(first);
  });
  afterEach(async () => {
    for (const app of apps.reverse()) await app.close();
    await pair.stop();
  });

  async function startOnPair(): Promise<TestApp> {
    const settings = {
      ...pair.settings,
      NODE_ENV: 'test',
      PORT: '0',
      PUBLIC_URL: 'http://gigvault.test',
      REDIS_URL: await createTestRedisUrl(),
      SECRET_KEY: Buffer.alloc(32, 3).toString('base64'),
      ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 4).toString('base64')}`,
      PASSWORD_HASH_COST: '4',
      RATE_LIMIT_PER_MINUTE: '0',
      CACHE_ENABLED: 'true',
      // Only the change of the host may end the wait for a frozen server, no timeout.
      DATABASE_STATEMENT_TIMEOUT_MS: '600000',
    };
    const db = { query: (_: string, sql: string, values: unknown[]) => pair.query(sql, values) };
    return startApp({ sharedWith: { settings, db } as unknown as TestApp });
  }

  const readAll = (id: number) => Promise.all(apps.map((app) => ann.withBaseUrl(app.url).get(`/v1/jobs/${id}`)));

  /** Creates a job that both processes have in their caches. */
  async function createCachedJob(title: string): Promise<number> {
    const { body } = await ann.post('/v1/jobs', buildJob({ title }));
    await warm(body.id);
    return body.id;
  }

  async function warm(id: number): Promise<void> {
    await waitFor('both processes use their caches', () => apps.every((app) => app.get(ChangeFeed).isFresh));
    await readAll(id);
  }

  async function createAfterFailover(): Promise<number> {
    const { body } = await waitFor('a job can be created', async () => {
      const answer = await ann.post('/v1/jobs', buildJob({ title: 'After' }));
      return answer.status === 201 ? answer : undefined;
    });
    return body.id;
  }

  it('serves no write that the promoted replica lacks, in any process', async () => {
    const kept = await createCachedJob('Kept');
    await pair.waitUntilInStep();
    await pair.cutOffReplica();
    const { headers } = await ann.patch(`/v1/jobs/${kept}`, { title: 'Lost' });
    const bob = await createSignedInCaller(apps[0]!);
    expect((await bob.get('/v1/jobs')).status).toBe(200);
    const lost = await createCachedJob('Lost');
    await warm(kept);
    expect((await readAll(kept)).map(({ body }) => body.title)).toEqual(['Lost', 'Lost']);

    pair.primary.kill();
    await pair.promote();

    await createAfterFailover();
    await waitFor('both processes have noticed the failover', async () =>
      (await readAll(kept)).every(({ body }) => body.title === 'Kept'),
    );
    for (const { body } of await readAll(lost)) expect(body.title).not.toBe('Lost');

    // The next change gets the number of the lost version, and the next account the id of the lost one.
    await waitFor('the API has noticed the failover', async () => {
      return (await ann.get(`/v1/jobs/${kept}`)).headers.get('etag') === '"1.2"';
    });
    const changed = await ann.patch(`/v1/jobs/${kept}`, { title: 'Changed' });
    expect(changed.body.version).toBe(2);
    const etag = headers.get('etag')!;
    expect((await ann.get(`/v1/jobs/${kept}`, { 'if-none-match': etag })).status).toBe(200);
    expect((await ann.patch(`/v1/jobs/${kept}`, { title: 'Blind' }, { 'if-match': etag })).status).toBe(412);
    expect((await ann.get(`/v1/jobs/${kept}`, { 'if-none-match': changed.headers.get('etag')! })).status).toBe(304);
    await pair.query(`ALTER TABLE users ALTER id RESTART WITH ${bob.id}`);
    expect(await createSignedInCaller(apps[0]!)).toMatchObject({ id: bob.id });
    expect((await bob.get('/v1/jobs')).status).toBe(401);
  });

  it('leaves a frozen primary when the replica is promoted, and never uses it again', async () => {
    const kept = await createCachedJob('Kept');
    await pair.waitUntilInStep();

    pair.signal(pair.primary, 'SIGSTOP');
    await pair.promote();
    await createAfterFailover();
    pair.signal(pair.primary, 'SIGCONT');

    await waitFor('the former primary answers', () => pair.query('SELECT 1', [], pair.primary).catch(() => undefined));
    const [connected] = await pair.query<{ count: number }>(
      `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE application_name = 'gigvault app'`,
      [],
      pair.primary,
    );
    expect(connected!.count).toBe(0);
    expect((await readAll(kept)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('accepts the certificate of the host only', async () => {
    const certificates = createCertificates('IP:127.0.0.1');
    const other = createCertificates('DNS:database.invalid', 'DNS:localhost');
    const read = async ({ certificate, key }: Certificates): Promise<unknown> => {
      await pair.query(`ALTER SYSTEM SET ssl_cert_file = '${certificate}'`);
      await pair.query(`ALTER SYSTEM SET ssl_key_file = '${key}'`);
      await pair.query('ALTER SYSTEM SET ssl = on');
      await pair.query('SELECT pg_reload_conf()');
      const url = `${pair.settings['DATABASE_MONITOR_URL']}?sslmode=verify-full&sslrootcert=${certificates.ca}`;
      const pools = new RolePools(buildTestConfig({ ...pair.settings, DATABASE_MONITOR_URL: url }));
      const encrypted = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
      try {
        return (await pools.of('monitor').query<{ ssl: boolean }>(encrypted)).rows[0]?.ssl;
      } catch (error) {
        return (error as Error).message;
      } finally {
        await pools.onApplicationShutdown();
      }
    };

    await waitFor('PostgreSQL has read its settings', async () => (await read(certificates)) === true);
    // Its host is not in the certificate, so no probe trusts it.
    await waitFor('it is refused', async () => /timeout/.test(String(await read(other))));
    certificates.remove();
    other.remove();
  });

  it('names the primary to programs with one connection, and says when there is none', async () => {
    const hosts = [pair.replica, pair.primary].map(({ port }) => ({ host: '127.0.0.1', port }));
    const url = pair.settings['DATABASE_MIGRATION_URL']!;
    const connect = async (found: string): Promise<void> => {
      const client = new Client({ connectionString: found });
      await client.connect();
      await client.end();
    };

    const found = await findPrimaryUrl(url, hosts);
    expect(new URL(found).port).toBe(String(pair.primary.port));
    await connect(found);
    await expect(findPrimaryUrl(url, hosts.slice(0, 1))).rejects.toThrow('no host of DATABASE_HOSTS is a primary');
    await expect(findPrimaryUrl(url.replace(/:[^:@]+@/, ':wrong@'), hosts)).rejects.toThrow('password authentication');
    await expect(findPrimaryUrl(url, [])).resolves.toBe(url);
  });
});
