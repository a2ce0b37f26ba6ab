import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { waitFor } from '../support/wait-for';

const WAITING_FOR_LOCK = `
  SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND usename = 'gigvault_app' AND wait_event_type = 'Lock'`;

const YEAR = new Date().getUTCFullYear();

describe('/v1/admin/database', () => {
  let app: TestApp;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterAll(() => app.close());

  const listItems = async (path: string): Promise<Record<string, unknown>[]> => {
    const { status, body } = await admin.get(`/v1/admin/database/${path}`);
    expect(status).toBe(200);
    return body.items;
  };

  it.each(['', '/table-sizes', '/slow-queries', '/connections', '/partitions', '/indexes'])(
    '%s is for admins only',
    async (path) => {
      const user = await createSignedInCaller(app);

      expect((await user.get(`/v1/admin/database${path}`)).status).toBe(403);
      expect((await admin.get(`/v1/admin/database${path}`)).status).toBe(200);
    },
  );

  it('sums up the partitions of a table, and lists tables of any name', async () => {
    await app.db.query('superuser', `CREATE TABLE public."Mixed.Case ""and"" space" (id int)`);
    const [expected] = await app.db.query<{ sum: number }>(
      'superuser',
      `SELECT sum(pg_total_relation_size(relid))::bigint AS sum FROM pg_partition_tree('audit_logs')`,
    );

    const sizes = await listItems('table-sizes');

    expect(sizes).toContainEqual(
      expect.objectContaining({ table: 'Mixed.Case "and" space', sizeBytes: 0, partitions: 0 }),
    );
    expect(sizes.find(({ table }) => table === 'audit_logs')).toMatchObject({
      sizeBytes: expected!.sum,
      partitions: 4,
      isView: false,
    });
    expect(sizes.find(({ table }) => table === 'user_job_stats')).toMatchObject({ isView: true });
    expect(sizes.map(({ table }) => table)).not.toContain(`audit_logs_${YEAR}`);
    await app.db.query('superuser', `DROP TABLE public."Mixed.Case ""and"" space"`);
  });

  it('lists slow statements of every role without values, with advice', async () => {
    // The list has ten statements, so the others of this file must not count.
    await app.db.query(
      'superuser',
      'SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)',
    );
    await app.db.query('app', `SELECT pg_sleep(0.5), 'a secret of a tenant'`);

    const slow = await listItems('slow-queries');

    expect(slow.length).toBeLessThanOrEqual(10);
    expect(slow).toContainEqual(
      expect.objectContaining({
        role: 'gigvault_app',
        query: expect.stringContaining('pg_sleep($1)'),
        calls: 1,
        advice: expect.stringContaining('EXPLAIN'),
      }),
    );
    expect(JSON.stringify(slow)).not.toMatch(/secret of a tenant|insufficient privilege/);
    const means = slow.map(({ meanMs }) => meanMs as number);
    expect(means).toEqual([...means].sort((a, b) => b - a));
  });

  it('counts connections idle in a transaction and waiting for a lock', async () => {
    await app.db.transaction('superuser', async (holder) => {
      await holder.query('LOCK TABLE templates');
      const waiter = app.db.query('app', 'SELECT count(*) FROM templates');
      await waitFor('the statement waits for the lock', async () => {
        const waiting = await app.db.query('superuser', WAITING_FOR_LOCK);
        return waiting.length > 0;
      });

      const { body } = await admin.get('/v1/admin/database/connections');

      const here = body.items.filter(({ database }: { database: string }) => database === app.db.name);
      expect(here).toContainEqual(expect.objectContaining({ role: 'gigvault_app', waiting: 1 }));
      expect(here.some(({ idleInTransaction }: { idleInTransaction: number }) => idleInTransaction === 1)).toBe(true);
      expect(body.max).toBeGreaterThan(body.total);
      await holder.query('COMMIT');
      await waiter;
    });
  });

  it('reports the coverage of partitions by their bounds, and rows in the default one', async () => {
    const user = await createSignedInCaller(app);
    await app.db.query(
      'superuser',
      `INSERT INTO analytics (user_id, metric_name, date) VALUES ($1, 'views', '2019-05-05')`,
      [user.id],
    );

    const countDays = () => Math.floor((Date.UTC(YEAR + 3, 0, 1) - Date.now()) / 86_400_000);
    const daysBefore = countDays();
    const tables = await listItems('partitions');
    const days = [daysBefore, countDays()];

    expect(tables.map(({ table }) => table)).toEqual(['analytics', 'audit_logs', 'security_logs']);
    expect(tables[0]).toMatchObject({
      isCovered: true,
      coveredUntil: `${YEAR + 3}-01-01T00:00:00.000Z`,
      rowsInDefault: 1,
      oldestInDefault: '2019-05-05T00:00:00.000Z',
      newestInDefault: '2019-05-05T00:00:00.000Z',
    });
    expect(days).toContain(tables[0]!.daysCovered);
    expect((tables[0]!.partitions as unknown[]).length).toBe(4);
    expect(tables[2]).toMatchObject({ rowsInDefault: 0, oldestInDefault: null });
    await app.db.query('superuser', `ALTER TABLE security_logs DETACH PARTITION security_logs_${YEAR}`);
    expect((await listItems('partitions'))[2]).toMatchObject({ isCovered: false, daysCovered: 0 });
  });

  it('reports the usage of indexes, cache hits and the age of views', async () => {
    const indexes = await listItems('indexes');
    const { body: state } = await admin.get('/v1/admin/database');

    expect(indexes.filter(({ index }) => index === 'idx_audit_logs_user_id')).toHaveLength(1);
    expect(indexes).toContainEqual(expect.objectContaining({ table: 'jobs', index: 'jobs_pkey', isConstraint: true }));
    expect(state).toMatchObject({
      cacheHitPercent: expect.any(Number),
      deadlocks: 0,
      views: [{ view: 'user_job_stats', ageSeconds: expect.any(Number) }],
    });
  });
});
