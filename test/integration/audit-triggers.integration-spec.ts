import type { ClientBase } from 'pg';
import audited from '../contract/audited-tables.json';
import { type TestDatabase, createTestDatabase } from '../support/test-database';
import { setTenant, signContext, type TestContext } from '../support/signed-context';

interface AuditRow {
  user_id: number;
  table_name: string;
  record_id: number;
  action: string;
  old_values: Record<string, unknown> | null;
  new_values: Record<string, unknown> | null;
  actor_kind: string;
  actor_id: number | null;
  ip_address: string | null;
  request_id: string | null;
  operation: string;
  reason: string | null;
}

describe('the audit triggers', () => {
  let database: TestDatabase;
  let tenant: number;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.end());
  beforeEach(async () => {
    const [user] = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password)
       VALUES (gen_random_uuid() || '@example.com', 'SECRET-0') RETURNING id`,
    );
    tenant = user!.id;
  });

  /** Returns the tenant's audit rows, oldest first, without the row of the new account. */
  const rows = (table = '%'): Promise<AuditRow[]> =>
    database.query<AuditRow>(
      'superuser',
      `SELECT * FROM audit_logs
       WHERE user_id = $1 AND table_name LIKE $2 AND NOT (table_name = 'users' AND action = 'INSERT') ORDER BY id`,
      [tenant, table],
    );

  const asTenant = <T>(work: (client: ClientBase) => Promise<T>, context: TestContext = {}): Promise<T> =>
    database.transaction('app', async (client) => {
      await setTenant(client, tenant, context);
      return work(client);
    });

  const insertOwnJob = async (client: ClientBase, key = 'upwork:1'): Promise<number> =>
    (
      await client.query(
        `INSERT INTO jobs (source_key, title, budget_min, skills) VALUES ($1, 'Fix it', 5, '{go}') RETURNING id`,
        [key],
      )
    ).rows[0].id;

  it('records all columns of an insert but generated and ignored ones', async () => {
    const id = await asTenant((client) => insertOwnJob(client));

    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ table_name: 'jobs', record_id: id, action: 'INSERT', old_values: null });
    expect(row!.new_values).toMatchObject({
      id,
      user_id: tenant,
      title: 'Fix it',
      budget_min: 5,
      skills: ['go'],
      status: 'active',
    });
    for (const absent of ['version', 'updated_at', 'search', 'budget_min_hundredths'])
      expect(row!.new_values).not.toHaveProperty(absent);
  });

  it('records only the changed columns of an update, once per changed row', async () => {
    await asTenant(async (client) => {
      await insertOwnJob(client, 'upwork:1');
      await insertOwnJob(client, 'upwork:2');
      await client.query(`UPDATE jobs SET is_favorite = true WHERE source_key = 'upwork:2'`);
      await client.query(`UPDATE jobs SET is_favorite = true`);
      await client.query(`UPDATE jobs SET is_favorite = true`);
    });

    const updates = (await rows()).filter(({ action }) => action === 'UPDATE');
    expect(updates.map((row) => [row.old_values, row.new_values])).toEqual([
      [{ is_favorite: false }, { is_favorite: true }],
      [{ is_favorite: false }, { is_favorite: true }],
    ]);
    const versions = await asTenant(async (client) => (await client.query('SELECT version FROM jobs')).rows);
    expect(versions).toEqual([{ version: 2 }, { version: 2 }]);
  });

  it('takes actor, address and reason from the context', async () => {
    await asTenant((client) => insertOwnJob(client), {
      actorKind: 'admin',
      actorId: 77,
      requestId: 'r-1',
      ip: '192.0.2.7',
      operation: 'POST /v1/jobs',
      reason: 'asked to',
    });

    expect((await rows())[0]).toMatchObject({
      actor_kind: 'admin',
      actor_id: 77,
      request_id: 'r-1',
      ip_address: '192.0.2.7',
      operation: 'POST /v1/jobs',
      reason: 'asked to',
    });
  });

  it('rejects a malformed address and accepts an empty one', async () => {
    for (const ip of ['unknown', 'fe80::1%eth0', '1.2.3.4, 5.6.7.8', '1.2.3.4:5555', 'x'.repeat(500)]) {
      await expect(asTenant((client) => insertOwnJob(client, 'upwork:1'), { ip })).rejects.toMatchObject({
        code: '22P02',
      });
    }
    await asTenant((client) => insertOwnJob(client), { ip: '' });

    expect((await rows()).map(({ ip_address }) => ip_address)).toEqual([null]);
  });

  it('records the login of a change made in psql', async () => {
    await asTenant((client) => insertOwnJob(client));
    await database.query('superuser', `UPDATE jobs SET title = 'Corrected' WHERE user_id = ${tenant}`);

    expect((await rows())[1]).toMatchObject({
      user_id: tenant,
      action: 'UPDATE',
      new_values: { title: 'Corrected' },
      actor_kind: 'database',
      actor_id: null,
      operation: 'login postgres',
    });
  });

  it('records a cascade, also in a transaction whose own statements the subscriber records', async () => {
    await asTenant(async (client) => {
      const job = await insertOwnJob(client);
      await client.query(`INSERT INTO proposals (job_id) VALUES ($1)`, [job]);
      await client.query(
        `INSERT INTO messages (job_id, sender_type, content) VALUES ($1, 'client', 'a'), ($1, 'client', 'b')`,
        [job],
      );
    });
    await database.transaction('superuser', async (client) => {
      await client.query(`SELECT set_config('app.context', $1, true)`, [
        signContext('superuser', { auditSource: 'subscriber' }),
      ]);
      await client.query(`DELETE FROM jobs WHERE user_id = ${tenant}`);
    });

    const after = (await rows()).slice(4);
    expect(after.map((row) => [row.table_name, row.action, row.new_values]).sort()).toEqual([
      ['messages', 'UPDATE', { job_id: null }],
      ['messages', 'UPDATE', { job_id: null }],
      ['proposals', 'DELETE', null],
    ]);
  });

  it('records all rows deleted with an account', async () => {
    await asTenant(async (client) => {
      await client.query(`INSERT INTO proposals (job_id) VALUES ($1)`, [await insertOwnJob(client)]);
      await client.query(
        `INSERT INTO analytics (metric_name, date) VALUES ('views', current_date), ('views', '2001-01-01')`,
      );
    });
    await database.query('superuser', `DELETE FROM users WHERE id = ${tenant}`);

    const deleted = (await rows()).filter(({ action }) => action === 'DELETE').map(({ table_name }) => table_name);
    expect(deleted.sort()).toEqual(['analytics', 'analytics', 'jobs', 'proposals', 'users']);
  });

  it('records the table of a partition, also when the statement names the partition', async () => {
    await asTenant((client) =>
      client.query(`INSERT INTO analytics (metric_name, date) VALUES ('views', '2001-01-01')`),
    );
    await database.query('superuser', `UPDATE analytics_default SET metric_value = 5 WHERE user_id = ${tenant}`);

    expect((await rows()).map((row) => [row.table_name, row.action])).toEqual([
      ['analytics', 'INSERT'],
      ['analytics', 'UPDATE'],
    ]);
  });

  it('records an upsert as insert or update', async () => {
    const upsert = `INSERT INTO analytics (metric_name, metric_value, date) VALUES ('views', $1, '2026-05-05')
      ON CONFLICT (user_id, metric_name, date) DO UPDATE SET metric_value = excluded.metric_value`;
    for (const value of [1, 1, 2]) await asTenant((client) => client.query(upsert, [value]));

    expect((await rows()).map((row) => [row.action, row.new_values?.metric_value])).toEqual([
      ['INSERT', 1],
      ['UPDATE', 2],
    ]);
  });

  it('redacts secrets and keeps the rest', async () => {
    await asTenant(async (client) => {
      await client.query(`
        INSERT INTO user_tokens (seal_key, encrypted_access_token, encrypted_refresh_token, expires_at)
        VALUES (gen_random_uuid(), 'SECRET-1', 'SECRET-2', now())`);
      await client.query(`UPDATE user_tokens SET encrypted_access_token = 'SECRET-3', status = 'failing'`);
      await client.query(`UPDATE user_tokens SET refresh_owner = 'w1', refresh_until = now()`);
      await client.query(
        `INSERT INTO user_mfa (encrypted_totp_secret, backup_codes_hash) VALUES ('SECRET-4', '{SECRET-5}')`,
      );
      await client.query(`UPDATE user_mfa SET last_totp_step = 5`);
    });
    await database.query('superuser', `UPDATE users SET encrypted_password = 'SECRET-6' WHERE id = ${tenant}`);

    const all = await rows();
    expect(all.map((row) => [row.table_name, row.action])).toEqual([
      ['user_tokens', 'INSERT'],
      ['user_tokens', 'UPDATE'],
      ['user_mfa', 'INSERT'],
      ['users', 'UPDATE'],
    ]);
    expect(all[1]!.new_values).toEqual({ encrypted_access_token: '[redacted]', status: 'failing' });
    expect(JSON.stringify(await database.query('superuser', 'SELECT * FROM audit_logs'))).not.toContain('SECRET');
  });

  it('writes no row for a transaction that was rolled back', async () => {
    await expect(
      asTenant(async (client) => {
        await insertOwnJob(client);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');

    expect(await rows()).toEqual([]);
  });

  it('rejects writes to the log by the application, and TRUNCATE of audited tables by every role', async () => {
    for (const sql of [
      `INSERT INTO audit_logs (user_id, table_name, action) VALUES (${tenant}, 'jobs', 'INSERT')`,
      `UPDATE audit_logs SET action = 'DELETE'`,
      'DELETE FROM audit_logs',
      'TRUNCATE audit_logs',
    ]) {
      await expect(asTenant((client) => client.query(sql))).rejects.toMatchObject({ code: '42501' });
    }
    for (const table of [...audited.audited, 'audit_logs', 'security_logs', 'analytics_default']) {
      await expect(database.query('superuser', `TRUNCATE ${table} CASCADE`)).rejects.toThrow(/would leave no trace/);
    }
  });

  describe('audit.record() for the subscriber', () => {
    const record = (change: object, settings: TestContext = {}): Promise<boolean> => {
      const { table, id, action, old, new: now } = { old: null, new: null, ...change } as Record<string, unknown>;
      return asTenant(
        async (client) =>
          (await client.query('SELECT audit.record($1, $2, $3, $4, $5) AS written', [table, id, action, old, now]))
            .rows[0].written,
        settings,
      );
    };

    it('writes the same values as the triggers', async () => {
      const { id, row } = await asTenant(async (client) => {
        const id = await insertOwnJob(client);
        await client.query(`UPDATE jobs SET budget_min = 7.5, title = 'New' WHERE id = $1`, [id]);
        await client.query(`UPDATE jobs SET budget_min = 5, title = 'Fix it' WHERE id = $1`, [id]);
        await client.query(`SET LOCAL timezone = 'UTC'`);
        return {
          id,
          row: (await client.query('SELECT to_jsonb(j) AS job FROM jobs j WHERE id = $1', [id])).rows[0].job,
        };
      });
      await record({ table: 'jobs', id, action: 'INSERT', new: row });
      await record({
        table: 'jobs',
        id,
        action: 'UPDATE',
        old: { budget_min: 5, title: 'Fix it' },
        new: { budget_min: 7.5, title: 'New' },
      });
      await record({ table: 'jobs', id, action: 'DELETE', old: row });
      await database.query('superuser', `DELETE FROM jobs WHERE id = ${id}`);

      const [inserted, updated, , recorded, recordedUpdate, recordedDelete, deleted] = await rows();
      expect(recorded!.new_values).toEqual(inserted!.new_values);
      expect([recordedUpdate!.old_values, recordedUpdate!.new_values]).toEqual([
        updated!.old_values,
        updated!.new_values,
      ]);
      expect(recordedDelete!.old_values).toEqual(deleted!.old_values);
    });

    it('takes tenant and actor from the context, never from its arguments', async () => {
      const settings = { actorKind: 'user', actorId: tenant };
      await record({ table: 'jobs', id: 5, action: 'INSERT', new: { id: 5, title: 'x', user_id: 1 } }, settings);
      await record({ table: 'jobs', id: 5, action: 'DELETE', old: { id: 6, title: 'x', user_id: tenant } }, settings);

      const row = { id: 5, title: 'x', user_id: tenant };
      expect(await rows()).toMatchObject([
        { user_id: tenant, actor_kind: 'user', actor_id: tenant, new_values: row },
        { user_id: tenant, actor_kind: 'user', actor_id: tenant, old_values: row },
      ]);
    });

    it('records other kinds of actors than user, admin and task as database', async () => {
      for (const kind of ['user', 'admin', 'task', '', 'root']) {
        await record(
          { table: 'jobs', id: 5, action: 'UPDATE', old: { title: 'x' }, new: { title: 'y' } },
          { actorKind: kind },
        );
      }

      expect((await rows()).map((row) => row.actor_kind)).toEqual(['user', 'admin', 'task', 'database', 'database']);
    });

    it('redacts secrets and skips an update of ignored columns only', async () => {
      const change = { table: 'user_tokens', id: 5, action: 'UPDATE' };
      const secret = await record({
        ...change,
        old: { encrypted_access_token: 'S1' },
        new: { encrypted_access_token: 'S2' },
      });
      const ignored = await record({ ...change, old: { version: 1 }, new: { version: 2 } });

      expect([secret, ignored]).toEqual([true, false]);
      expect((await rows())[0]).toMatchObject({
        old_values: { encrypted_access_token: '[redacted]' },
        new_values: { encrypted_access_token: '[redacted]' },
      });
    });

    it('rejects a missing tenant, tables that are not audited, unknown actions and other roles', async () => {
      const change = { table: 'jobs', id: 5, action: 'INSERT', new: {} };
      await expect(record(change, { tenant: '' })).rejects.toMatchObject({ code: '42501' });
      await expect(record({ ...change, table: 'task_runs' })).rejects.toThrow('table task_runs is not audited');
      await expect(record({ ...change, table: null })).rejects.toThrow('table without a name is not audited');
      await expect(record({ ...change, action: 'TRUNCATE' })).rejects.toMatchObject({ code: '23514' });
      await expect(record({ ...change, action: null })).rejects.toMatchObject({ code: '23514' });
      await expect(
        database.query('worker', `SELECT audit.record('jobs', 5, 'INSERT', NULL, '{}')`),
      ).rejects.toMatchObject({ code: '42501' });
    });

    it('is not repeated by the triggers', async () => {
      await asTenant((client) => insertOwnJob(client), { auditSource: 'subscriber' });

      expect(await rows()).toEqual([]);
    });
  });

  it('covers every table that test/contract/audited-tables.json does not exclude with a reason', async () => {
    const auditedRows = await database.query<{ table_name: string }>(
      'superuser',
      'SELECT table_name FROM audit.audited_tables',
    );
    const tables = await database.query<{ name: string }>(
      'superuser',
      `SELECT c.relnamespace::regnamespace || '.' || c.relname AS name FROM pg_class c
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
    );

    expect(auditedRows.map((row) => row.table_name).sort()).toEqual([...audited.audited].sort());
    const known = [...audited.audited.map((name) => `public.${name}`), ...Object.keys(audited.notAudited)];
    expect(tables.map(({ name }) => name).sort()).toEqual(known.sort());
  });

  it('ignores every generated column', async () => {
    const missing = await database.query(
      'superuser',
      `SELECT t.table_name, a.attname
       FROM audit.audited_tables t JOIN pg_attribute a ON a.attrelid = t.table_name::regclass
       WHERE a.attgenerated <> '' AND NOT a.attname = ANY (t.ignored_columns)`,
    );

    expect(missing).toEqual([]);
  });
});
