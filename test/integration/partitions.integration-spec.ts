import { findSchemaWarnings, findSchemaProblems } from '../../src/platform/database/schema/schema-problems';
import { type TestDatabase, createTestDatabase } from '../support/test-database';

const THIS_YEAR = new Date().getUTCFullYear();

describe('yearly partitions', () => {
  let database: TestDatabase;
  let tenant: number;
  beforeEach(async () => {
    database = await createTestDatabase();
    const [user] = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password) VALUES ('a@example.com', 'x') RETURNING id`,
    );
    tenant = user!.id;
  });
  afterEach(() => database.end());

  const listPartitions = async (table: string): Promise<string[]> =>
    (
      await database.query<{ name: string }>(
        'superuser',
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1`,
        [table],
      )
    ).map(({ name }) => name);

  /** Inserts one metric per day from 1 January of a year. */
  const fill = (year: number, days: number): Promise<unknown> =>
    database.query(
      'superuser',
      `INSERT INTO analytics (user_id, metric_name, metric_value, date)
       SELECT ${tenant}, 'views', d, make_date(${year}, 1, 1) + d FROM generate_series(0, ${days - 1}) d`,
    );

  const names = async (query: Promise<Record<string, unknown>[]>): Promise<unknown[]> =>
    (await query).map((row) => Object.values(row)[0]);

  it.each(['analytics', 'security_logs', 'audit_logs'])(
    'of %s exist for this year and the next two, with a default one',
    async (table) => {
      const years = [0, 1, 2].map((ahead) => `${table}_${THIS_YEAR + ahead}`);

      expect(await listPartitions(table)).toEqual([...years, `${table}_default`]);
    },
  );

  it('are created by the worker, once, with the same security as the first ones', async () => {
    const wanted = ['analytics', 'audit_logs', 'security_logs'].map((table) => `${table}_${THIS_YEAR + 3}`);

    expect(await names(database.query('worker', 'SELECT app.create_partitions(3)'))).toEqual(wanted);
    expect(await names(database.query('worker', 'SELECT app.create_partitions(3)'))).toEqual([]);
    expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
    await expect(database.query('app', 'SELECT app.create_partitions(3)')).rejects.toMatchObject({ code: '42501' });
  });

  it('receive the rows of the default one, with their ids and without an audit row', async () => {
    await fill(THIS_YEAR + 3, 40);
    const before = await database.query('superuser', 'SELECT * FROM analytics ORDER BY id');
    const [{ count: audited }] = (await database.query<{ count: number }>(
      'superuser',
      'SELECT count(*) FROM audit_logs',
    )) as [{ count: number }];

    await database.query('worker', 'SELECT app.create_partitions(3)');

    expect(await database.query('superuser', `SELECT * FROM analytics_${THIS_YEAR + 3} ORDER BY id`)).toEqual(before);
    expect(await database.query('superuser', 'SELECT FROM analytics_default')).toEqual([]);
    expect(await database.query('superuser', 'SELECT count(*) FROM audit_logs')).toEqual([{ count: audited }]);
    await database.query('superuser', 'UPDATE analytics SET metric_value = -1');
    expect(await database.query('superuser', 'SELECT count(*) FROM audit_logs')).toEqual([{ count: audited + 40 }]);
  });

  it('are created for every year found in the default one when it is drained', async () => {
    await fill(2019, 3);
    await fill(2021, 4);

    expect(await names(database.query('worker', `SELECT app.drain_default_partition('analytics')`))).toEqual([
      'analytics_2019',
    ]);
    expect(await names(database.query('worker', `SELECT app.drain_default_partition('analytics')`))).toEqual([
      'analytics_2021',
    ]);
    expect(await names(database.query('worker', `SELECT app.drain_default_partition('analytics')`))).toEqual([]);
    expect(await database.query('superuser', 'SELECT count(*) FROM analytics')).toEqual([{ count: 7 }]);
    expect(await database.query('superuser', 'SELECT FROM analytics_default')).toEqual([]);
    expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
  });

  it('replace the default one when it contains many rows of one year', async () => {
    await fill(2019, 300);

    expect(await names(database.query('worker', `SELECT app.drain_default_partition('analytics', 100)`))).toEqual([
      'analytics_2019',
    ]);
    expect(await listPartitions('analytics')).toEqual(expect.arrayContaining(['analytics_2019', 'analytics_default']));
    expect(await database.query('superuser', 'SELECT count(*) FROM analytics_2019')).toEqual([{ count: 300 }]);
    await fill(2018, 3);
    expect(await database.query('superuser', 'SELECT count(*) FROM analytics_default')).toEqual([{ count: 3 }]);
    expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
  });

  it('are created for the part of a year that a manual partition does not cover', async () => {
    await database.query('superuser', `DROP TABLE security_logs_${THIS_YEAR}`);
    await database.query(
      'superuser',
      `CREATE TABLE security_logs_${THIS_YEAR} PARTITION OF security_logs
       FOR VALUES FROM ('${THIS_YEAR}-01-01') TO (now() - interval '1 second')`,
    );
    await database.query('superuser', `SELECT app.secure_partition('security_logs', 'security_logs_${THIS_YEAR}')`);
    await database.query('auth', `SELECT auth.log_event('auth.test', NULL, true, '192.0.2.1', 'agent', '{}')`);

    const [made, ...more] = await names(database.query('worker', 'SELECT app.create_partitions(2)'));

    expect(made).toMatch(new RegExp(`^security_logs_${THIS_YEAR}\\d{10}$`));
    expect(more).toEqual([]);
    expect(await database.query('superuser', `SELECT event_type FROM ${String(made)}`)).toEqual([
      { event_type: 'auth.test' },
    ]);
    expect(
      await database.query(
        'superuser',
        `SELECT covered_until FROM app.partition_coverage() WHERE table_name = 'security_logs'`,
      ),
    ).toEqual([{ covered_until: new Date(Date.UTC(THIS_YEAR + 3, 0, 1)) }]);
    expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
  });

  it('that are old are detached and archived with their rows', async () => {
    await fill(2019, 3);
    await fill(2021, 4);
    for (let i = 0; i < 2; i += 1) await database.query('worker', `SELECT app.drain_default_partition('analytics')`);

    expect(await names(database.query('worker', 'SELECT app.archive_partitions($1)', [THIS_YEAR - 2021]))).toEqual([
      'analytics_2019',
    ]);
    expect(await names(database.query('worker', 'SELECT app.archive_partitions($1)', [THIS_YEAR - 2021]))).toEqual([]);

    expect(await database.query('superuser', 'SELECT count(*) FROM archive.analytics_2019')).toEqual([{ count: 3 }]);
    expect(await database.query('superuser', 'SELECT count(*) FROM analytics')).toEqual([{ count: 4 }]);
    await expect(database.query('worker', 'SELECT FROM archive.analytics_2019')).rejects.toMatchObject({
      code: '42501',
    });
    expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
    await fill(2019, 1);
    expect(await database.query('superuser', 'SELECT count(*) FROM analytics_default')).toEqual([{ count: 1 }]);
  });

  it('are rejected for a table that is not partitioned', async () => {
    await expect(
      database.query('worker', `SELECT app.drain_default_partition('jobs; DROP TABLE jobs')`),
    ).rejects.toMatchObject({ code: '42P01' });
  });

  it('are created during writes, and give up after the lock timeout', async () => {
    await database.transaction('superuser', async (client) => {
      await client.query(`INSERT INTO analytics (user_id, metric_name, date) VALUES (${tenant}, 'x', '2001-01-01')`);
      // The writer locks the default partition: the task waits no longer than its lock timeout.
      await expect(
        database.transaction('worker', async (worker) => {
          await worker.query(`SET LOCAL lock_timeout = '200ms'`);
          await worker.query('SELECT app.create_partitions(3)');
        }),
      ).rejects.toMatchObject({ code: '55P03' });
    });
    expect(await names(database.query('worker', 'SELECT app.create_partitions(3)'))).toHaveLength(3);
  });

  it('that are missing cause a warning, and their rows are kept', async () => {
    await database.query('superuser', `DROP TABLE security_logs_${THIS_YEAR}`);
    await database.query('auth', `SELECT auth.log_event('auth.test', NULL, true, '192.0.2.1', 'agent', '{}')`);

    expect(await database.query('superuser', 'SELECT event_type FROM security_logs_default')).toEqual([
      { event_type: 'auth.test' },
    ]);
    expect(await findSchemaWarnings((sql) => database.query('app', sql))).toEqual([
      'table security_logs has no partition for this moment: run the task create-partitions; ' +
        'until then its rows go to security_logs_default',
    ]);
    expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
    await database.query('worker', 'SELECT app.create_partitions(2)');
    expect(await findSchemaWarnings((sql) => database.query('app', sql))).toEqual([]);
    expect(await database.query('superuser', `SELECT event_type FROM security_logs_${THIS_YEAR}`)).toEqual([
      { event_type: 'auth.test' },
    ]);
  });
});
