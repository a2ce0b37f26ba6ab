import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { waitFor } from '../support/wait-for';

const OPTIONS = [
  'autovacuum_vacuum_threshold=0',
  'autovacuum_vacuum_scale_factor=0',
  'autovacuum_vacuum_insert_threshold=0',
  'autovacuum_vacuum_insert_scale_factor=0',
  'vacuum_index_cleanup=on',
];

describe('the removal of erased rows', () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query('superuser', 'VACUUM');
    await db.query(
      'superuser',
      `INSERT INTO users (email, encrypted_password) SELECT n || '@example.com', 'none' FROM generate_series(1, 50) n`,
    );
    await db.query('superuser', 'DELETE FROM users WHERE id % 2 = 0');
  });
  afterAll(() => db.end());

  const readOptions = async (table: string): Promise<readonly string[] | null> => {
    const sql = 'SELECT reloptions AS options FROM pg_class WHERE oid = $1::regclass';
    return (await db.query<{ options: string[] | null }>('superuser', sql, [table]))[0]!.options;
  };

  const requestVacuum = async (since: Date): Promise<number> => {
    const sql = 'SELECT app.request_vacuum($1) AS tables';
    return (await db.query<{ tables: number }>('worker', sql, [since]))[0]!.tables;
  };

  it('lets autovacuum remove them from the tables that changed, and resets that afterwards', async () => {
    const [erased] = await db.query<{ at: Date }>('superuser', 'SELECT clock_timestamp() AS at');
    await waitFor('the deletion is counted', async () => {
      const sql = `SELECT n_dead_tup AS rows FROM pg_stat_user_tables WHERE relname = 'users'`;
      return (await db.query<{ rows: number }>('superuser', sql))[0]!.rows > 0;
    });

    expect(await requestVacuum(erased!.at)).toBeGreaterThan(20);
    expect([await readOptions('users'), await readOptions('jobs')]).toEqual([OPTIONS, OPTIONS]);
    // The tables without deleted or inserted rows are reset.
    // Users, and the audit log of their changes.
    expect(await requestVacuum(erased!.at)).toBe(2);
    expect([await readOptions('users'), await readOptions('jobs')]).toEqual([OPTIONS, null]);

    await db.query('superuser', 'VACUUM');
    await waitFor('the VACUUM is counted', async () => (await requestVacuum(erased!.at)) === 0);
    expect(await readOptions('users')).toBeNull();
  });

  it('lets autovacuum visit tables with inserted rows, because their count of dead rows may be wrong', async () => {
    await db.query('superuser', 'VACUUM');
    await db.query('superuser', `INSERT INTO users (email, encrypted_password) VALUES ('51@example.com', 'none')`);
    const [inserted] = await db.query<{ at: Date }>('superuser', 'SELECT clock_timestamp() AS at');
    await waitFor('the row is counted', async () => {
      const sql = `SELECT n_ins_since_vacuum AS rows FROM pg_stat_user_tables WHERE relname = 'users'`;
      return (await db.query<{ rows: number }>('superuser', sql))[0]!.rows > 0;
    });

    await requestVacuum(inserted!.at);
    expect(await requestVacuum(inserted!.at)).toBe(2);
    expect(await readOptions('users')).toEqual(OPTIONS);
  });

  it('may be requested by the worker only', async () => {
    for (const role of ['app', 'auth', 'admin', 'monitor'] as const) {
      await expect(db.query(role, 'SELECT app.request_vacuum(now())')).rejects.toThrow('permission denied');
      await expect(db.query(role, 'SELECT app.analyze_tables()')).rejects.toThrow('permission denied');
      await expect(db.query(role, 'SELECT app.erased_users(now())')).rejects.toThrow('permission denied');
    }
  });
});
