import { Client } from 'pg';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { STATS_MISCOUNTED } from '../stress/statistics/statistics.queries';
import { pause } from '../support/wait-for';
import { setTenant } from '../support/signed-context';

/** Unique values of Bob: each occurrence shows that Bob's row was read. */
const OF_BOB = { jobs: 37, favorites: 23, budget: 7717, last: '2031-07-13', metric: 918273 };
const MARKS = /7717|7817|2031-07-13|918273/;

/** Builds a call of a built-in function that stores its argument for later statements. */
const leak = (what: string): string =>
  `set_config('app.leaked', concat(current_setting('app.leaked', true), ${what}), true) IS NOT NULL`;
/** Puts another tenant into the signed context. */
const FORGE = `set_config('app.context', overlay(current_setting('app.context') placing '$bob' from 76), true)`;
const LEAKED = `SELECT current_setting('app.leaked', true) AS leaked`;

/**
 * Attempts to read Bob's values ($bob) with the API's login and arbitrary SQL, each as Ann and without a tenant. Each
 * ends with a SQLSTATE or returns nothing of Bob. Setting Bob as the tenant is not an attempt: PostgreSQL then treats
 * the caller as Bob, as the threat model of README.md states.
 */
const PATHS: readonly (readonly [path: string, sql: string | readonly string[], refused?: string])[] = [
  ['the view that holds all', 'SELECT * FROM user_job_stats', '42501'],
  ['its length', 'SELECT count(*) FROM user_job_stats', '42501'],
  ['a sample of it', 'SELECT * FROM user_job_stats TABLESAMPLE SYSTEM (100)', '42501'],
  ['its index', 'SELECT * FROM idx_user_job_stats_user_id', '42809'],
  ['COPY of it', 'COPY user_job_stats TO STDOUT', '42501'],
  ['COPY of a query of it', 'COPY (SELECT * FROM user_job_stats) TO STDOUT', '42501'],
  ['EXPLAIN ANALYZE of it', 'EXPLAIN ANALYZE SELECT * FROM user_job_stats', '42501'],
  ['a prepared statement of it', ['PREPARE all_stats AS SELECT * FROM user_job_stats', 'EXECUTE all_stats'], '42501'],
  ['a cursor of it', 'DECLARE all_stats CURSOR FOR SELECT * FROM user_job_stats', '42501'],
  ['a block of it', 'DO $$ BEGIN PERFORM * FROM public.user_job_stats; END $$', '42501'],
  ['XML of a query of it', `SELECT query_to_xml('SELECT * FROM user_job_stats', true, false, '')`, '42501'],
  ['XML of it', `SELECT table_to_xml('user_job_stats', true, false, '')`, '42501'],
  ['a table made of it', 'CREATE TABLE mine AS SELECT * FROM user_job_stats', '42501'],
  ['a temporary table', 'CREATE TEMPORARY TABLE mine AS SELECT * FROM tenant_job_stats', '42501'],
  ['a view of it', 'CREATE VIEW mine AS SELECT * FROM user_job_stats', '42501'],
  ['the right to it', 'GRANT SELECT ON user_job_stats TO gigvault_app', '42501'],
  ['its ownership', 'ALTER MATERIALIZED VIEW user_job_stats OWNER TO gigvault_app', '42501'],
  ['its refresh', 'REFRESH MATERIALIZED VIEW user_job_stats', '42501'],
  ['the function that refreshes it', 'SELECT refresh_user_job_stats()', '42501'],
  ['the function that counts days', 'SELECT app.record_daily_metrics(current_date, current_date)', '42501'],
  ['its file', `SELECT pg_read_binary_file(pg_relation_filepath('user_job_stats'))`, '42501'],
  ['its pages', 'CREATE EXTENSION pageinspect', '42501'],
  ['a second connection', 'CREATE EXTENSION dblink', '42501'],
  ['a program', `COPY (SELECT 1) TO PROGRAM 'cat'`, '42501'],
  ['the log of changes', `SELECT pg_create_logical_replication_slot('mine', 'test_decoding')`, '42501'],
  ['a lock on it', 'LOCK TABLE user_job_stats IN ACCESS EXCLUSIVE MODE', '42809'],
  ['the role that owns it', 'SET LOCAL ROLE gigvault_definer', '42501'],
  ['the session of that role', 'SET LOCAL SESSION AUTHORIZATION gigvault_definer', '42501'],
  [
    'a function of their own',
    `CREATE FUNCTION leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
     AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'`,
    '42501',
  ],
  [
    'a function of their session',
    `CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'`,
    '42501',
  ],
  ['another view of that name', 'CREATE OR REPLACE VIEW tenant_job_stats AS SELECT * FROM user_job_stats', '42501'],
  ['a view without its barrier', 'ALTER VIEW tenant_job_stats SET (security_barrier = false)', '42501'],
  ['no row security at jobs', ['SET LOCAL row_security = off', 'SELECT * FROM jobs'], '42501'],
  ['no row security at the view', ['SET LOCAL row_security = off', 'SELECT * FROM tenant_job_stats'], '42501'],
  ['the statistics of the planner', 'SELECT * FROM pg_statistic', '42501'],
  [
    'the same as pg_stats',
    `SELECT * FROM pg_stats
     WHERE schemaname = 'public' AND tablename IN ('user_job_stats', 'jobs', 'analytics', 'tenant_job_stats')`,
  ],
  [
    'the statements of others',
    `SELECT query FROM pg_stat_activity WHERE query LIKE '%7717%' AND pid <> pg_backend_pid()`,
  ],
  ['the partition of the year', 'SELECT * FROM analytics_2026', '42501'],
  ['the default partition', 'SELECT * FROM analytics_default', '42501'],
  ["Bob's metrics", `SELECT * FROM analytics WHERE user_id = $bob OR metric_name = 'secret'`],
  ["Bob's row of the tenant's view", 'SELECT * FROM tenant_job_stats WHERE user_id = $bob'],
  ["Bob's row or any", 'SELECT * FROM tenant_job_stats WHERE user_id = $bob OR true'],
  ['COPY of the tenant’s view', 'COPY (SELECT * FROM tenant_job_stats) TO STDOUT'],
  [
    'XML of all that may be read',
    `SELECT query_to_xml('SELECT * FROM tenant_job_stats', true, false, ''),
       query_to_xml('SELECT * FROM jobs', true, false, '')`,
  ],
  ['an error that leaks', 'SELECT * FROM tenant_job_stats WHERE 1 / (total_jobs - 37) IS NOT NULL'],
  ['an error in the order', 'SELECT * FROM tenant_job_stats ORDER BY 1 / (total_jobs - 37)'],
  [
    'a cast that leaks',
    `SELECT * FROM tenant_job_stats WHERE (avg_budget_range || '!')::text <> '' OR last_job_date::text::integer > 0`,
  ],
  ['a function that leaks the row', [`SELECT * FROM tenant_job_stats AS s WHERE ${leak('s::text')}`, LEAKED]],
  [
    'a function that leaks, with the cost 0',
    ['SET LOCAL cpu_operator_cost = 0', `SELECT * FROM tenant_job_stats AS s WHERE ${leak('s::text')}`, LEAKED],
  ],
  [
    'a function that leaks, in a join',
    [`SELECT * FROM tenant_job_stats AS s JOIN generate_series(1, 2) n ON ${leak('s::text || n')}`, LEAKED],
  ],
  ['a function that leaks the job', [`SELECT * FROM jobs AS j WHERE ${leak('j.budget_max')}`, LEAKED]],
  ['no tenant', [`SELECT set_config('app.context', '', true)`, 'SELECT * FROM tenant_job_stats']],
  ['a tenant of no number', [`SELECT set_config('app.context', '* OR true', true)`, 'SELECT * FROM tenant_job_stats']],
  [
    'a tenant below all',
    [
      `SELECT set_config('app.context', overlay(current_setting('app.context') placing '-1' from 76), true)`,
      'SELECT * FROM tenant_job_stats',
    ],
  ],
  ['another tenant when the row is chosen', `SELECT * FROM tenant_job_stats WHERE ${FORGE} IS NOT NULL`],
  ['another tenant when the row is shown', `SELECT ${FORGE}, s.* FROM tenant_job_stats s`],
];

describe('user_job_stats', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;
  let nobody: SignedInCaller;

  const jobsOf = (userId: number, { jobs, favorites, budget, last }: Omit<typeof OF_BOB, 'metric'>): Promise<unknown> =>
    app.db.query(
      'superuser',
      `INSERT INTO jobs (user_id, source_key, title, status, is_favorite, budget_min, budget_max, created_at)
       SELECT $1, 'upwork:' || n, 'Job ' || n, CASE WHEN n % 4 = 0 THEN 'archived' ELSE 'active' END, n <= $3,
         100, 100 + $4, $5::timestamptz - n * interval '1 day' + interval '1 day'
       FROM generate_series(1, $2::integer) n`,
      [userId, jobs, favorites, budget, last],
    );
  const refresh = (): Promise<unknown> => app.db.query('worker', 'SELECT refresh_user_job_stats()');
  const statsOf = async (user: SignedInCaller): Promise<Record<string, unknown>> =>
    (await user.get('/v1/analytics/job-stats')).body as Record<string, unknown>;

  beforeAll(async () => {
    app = await startApp();
    [ann, bob, nobody] = [
      await createSignedInCaller(app),
      await createSignedInCaller(app),
      await createSignedInCaller(app),
    ];
    await jobsOf(ann.id, { jobs: 5, favorites: 2, budget: 50, last: '2026-01-05' });
    await jobsOf(bob.id, OF_BOB);
    await app.db.query(
      'superuser',
      `INSERT INTO analytics (user_id, metric_name, date, metric_value) VALUES ($1, 'secret', '2026-01-01', $2)`,
      [bob.id, OF_BOB.metric],
    );
    await refresh();
    // The planner's statistics are one of the paths.
    await app.db.query('superuser', 'ANALYZE');
  });

  afterAll(() => app.close());

  it('returns to each user after a refresh what a direct query counts, and zeros without jobs', async () => {
    expect(await statsOf(bob)).toMatchObject({
      totalJobs: 37,
      activeJobs: 28,
      favoriteJobs: 23,
      avgBudgetRange: '7717.00',
      lastJobDate: expect.stringContaining('2031-07-13'),
    });
    expect(await statsOf(ann)).toMatchObject({ totalJobs: 5, activeJobs: 4, favoriteJobs: 2, avgBudgetRange: '50.00' });
    expect(await statsOf(nobody)).toMatchObject({
      totalJobs: 0,
      activeJobs: 0,
      favoriteJobs: 0,
      avgBudgetRange: '0.00',
      lastJobDate: null,
      refreshedAt: expect.any(String),
    });
    expect(await app.db.query('superuser', STATS_MISCOUNTED)).toEqual([{ count: 0 }]);
  });

  it('returns the old values without waiting during a refresh', async () => {
    const newcomer = await createSignedInCaller(app);
    const before = await statsOf(newcomer);
    await app.db.transaction('worker', async (client) => {
      await client.query('SELECT refresh_user_job_stats()');
      await jobsOf(newcomer.id, { jobs: 1, favorites: 0, budget: 1, last: '2026-01-05' });

      // Each would wait forever, because the refresh ends only after the responses.
      const answers = await Promise.race([
        Promise.all(Array.from({ length: 40 }, (_, i) => statsOf([ann, bob, newcomer][i % 3]!))),
        pause(120_000, 'only ends a wait that would be endless', { ref: false }),
      ]);

      expect(answers).toHaveLength(40);
      expect(answers).toContainEqual(before);
      const [lock] = await app.db.query(
        'superuser',
        `SELECT mode FROM pg_locks WHERE relation = 'user_job_stats'::regclass AND mode = 'ExclusiveLock' AND granted`,
      );
      expect(lock).toEqual({ mode: 'ExclusiveLock' });
    });
    await refresh();
    expect(await statsOf(newcomer)).toMatchObject({ totalJobs: 1 });
  });

  describe('to the login of the API', () => {
    let client: Client;
    let copied: string;

    beforeAll(async () => {
      client = new Client({ connectionString: app.db.urls.app });
      await client.connect();
      // Without a stream, pg discards the rows of COPY.
      (client as unknown as { connection: NodeJS.EventEmitter }).connection.on(
        'copyData',
        ({ chunk }: { chunk: Buffer }) => (copied += chunk.toString()),
      );
    });

    afterAll(() => client.end());

    /** Returns everything the statements return to a tenant in one transaction, or their SQLSTATE; rolls back. */
    const shown = async (tenant: string, statements: readonly string[]): Promise<string> => {
      copied = '';
      await client.query('BEGIN');
      try {
        await setTenant(client, tenant);
        let rows: unknown[] = [];
        for (const statement of statements)
          rows = [...rows, ...(await client.query(statement.replaceAll('$bob', String(bob.id)))).rows];
        return JSON.stringify(rows) + copied;
      } catch (error) {
        return (error as { code: string }).code;
      } finally {
        await client.query('ROLLBACK');
        await client.query('DEALLOCATE ALL');
      }
    };

    it.each(PATHS.map(([path, sql, refused]) => ({ path, sql, refused })))(
      'shows nothing of another user by way of $path',
      async ({ sql, refused }) => {
        for (const tenant of ['', String(ann.id)]) {
          const what = await shown(tenant, [sql].flat());

          if (refused === undefined) expect(what).toMatch(/^\[/);
          else expect(what).toBe(refused);
          expect(what).not.toMatch(MARKS);
        }
      },
    );

    it('returns the owner their own values, so that a leak would be detected', async () => {
      for (const sql of [
        'SELECT * FROM tenant_job_stats',
        'COPY (SELECT * FROM tenant_job_stats) TO STDOUT',
        `SELECT * FROM tenant_job_stats AS s WHERE ${leak('s::text')}`,
        'SELECT * FROM jobs',
        'SELECT * FROM analytics',
      ]) {
        expect(await shown(String(bob.id), [sql])).toMatch(MARKS);
      }
    });
  });
});
