import type { ClientBase } from 'pg';
import { findSchemaProblems } from '../../src/platform/database/schema/schema-problems';
import { signContext } from '../support/signed-context';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

type Row = Readonly<Record<string, unknown>>;

/** The difference of one row, as audit_logs must have it. */
interface Change {
  readonly table: string;
  readonly id: number;
  readonly action: string;
  readonly old: Row | null;
  readonly new: Row | null;
}

const TABLES = ['analytics', 'jobs', 'messages', 'proposals', 'templates'] as const;

/** How a statement can reach rows besides a plain INSERT, UPDATE or DELETE, and the number of rows that it changes. */
const PATHS: readonly { readonly name: string; readonly sql: string; readonly changes: number }[] = [
  {
    name: 'COPY FROM',
    sql: `COPY templates (user_id, name, body, generation_type)
      FROM PROGRAM 'printf "$tenant,a,x,message\\n$tenant,b,y,message\\n"' (FORMAT csv)`,
    changes: 2,
  },
  {
    name: 'MERGE that inserts, updates and deletes',
    sql: `MERGE INTO templates t
      USING (VALUES ('one', 'new'), ('two', NULL), ('four', 'new')) AS s (name, body)
        ON t.name = s.name AND t.user_id = $tenant
      WHEN MATCHED AND s.body IS NULL THEN DELETE
      WHEN MATCHED THEN UPDATE SET body = s.body
      WHEN NOT MATCHED THEN
        INSERT (user_id, name, body, generation_type) VALUES ($tenant, s.name, s.body, 'message')`,
    changes: 3,
  },
  { name: 'a cascade that deletes, and one that sets NULL', sql: `DELETE FROM jobs WHERE id = $job`, changes: 4 },
  {
    name: 'INSERT … ON CONFLICT DO UPDATE',
    sql: `INSERT INTO analytics (user_id, metric_name, metric_value, date)
      VALUES ($tenant, 'views', 9, '2026-05-05'), ($tenant, 'views', 9, '2026-05-06')
      ON CONFLICT (user_id, metric_name, date) DO UPDATE SET metric_value = excluded.metric_value`,
    changes: 2,
  },
  {
    name: 'INSERT … ON CONFLICT DO NOTHING',
    sql: `INSERT INTO analytics (user_id, metric_name, metric_value, date)
      VALUES ($tenant, 'views', 9, '2026-05-05'), ($tenant, 'views', 9, '2026-05-06') ON CONFLICT DO NOTHING`,
    changes: 1,
  },
  {
    name: 'UPDATE … FROM',
    sql: `UPDATE templates t SET body = s.body FROM (VALUES ('one', 'p'), ('two', 'q')) AS s (name, body)
      WHERE t.name = s.name AND t.user_id = $tenant`,
    changes: 2,
  },
  {
    name: 'DELETE … USING',
    sql: `DELETE FROM templates t USING (VALUES ('one'), ('two')) AS s (name)
      WHERE t.name = s.name AND t.user_id = $tenant`,
    changes: 2,
  },
  {
    name: 'writable CTEs of several tables',
    sql: `WITH gone AS (DELETE FROM templates WHERE name = 'one' AND user_id = $tenant RETURNING user_id),
        added AS (INSERT INTO templates (user_id, name, body, generation_type)
          SELECT user_id, 'five', 'x', 'message' FROM gone RETURNING id)
      UPDATE jobs SET title = 'by a CTE' WHERE id = $job AND EXISTS (SELECT FROM added)`,
    changes: 3,
  },
  {
    name: 'a move of a row between partitions',
    sql: `UPDATE analytics SET date = '2001-05-05' WHERE user_id = $tenant AND date = '2026-05-05'`,
    changes: 1,
  },
  {
    name: 'an UPDATE that names the partition',
    sql: `UPDATE analytics_default SET metric_value = 7 WHERE user_id = $tenant`,
    changes: 1,
  },
  {
    name: 'a DO block',
    sql: `DO $$ BEGIN UPDATE templates SET body = 'z' WHERE name = 'one' AND user_id = $tenant; END $$`,
    changes: 1,
  },
  {
    name: 'a view',
    sql: `CREATE TEMP VIEW some_templates AS SELECT * FROM templates WHERE user_id = $tenant;
      UPDATE some_templates SET body = 'by a view'; DROP VIEW some_templates`,
    changes: 2,
  },
  {
    name: 'a migration that changes data as the owner of the tables',
    sql: `SET LOCAL ROLE gigvault_owner;
      ALTER TABLE templates NO FORCE ROW LEVEL SECURITY;
      UPDATE templates SET body = upper(body) || '!' WHERE user_id = $tenant;
      ALTER TABLE templates FORCE ROW LEVEL SECURITY`,
    changes: 2,
  },
];

describe('each path of a write', () => {
  let database: TestDatabase;
  let ignored: ReadonlyMap<string, readonly string[]>;
  let tenant: number;
  let job: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    const rows = await database.query<{ name: string; ignored: string[] }>(
      'superuser',
      'SELECT table_name AS name, ignored_columns AS ignored FROM audit.audited_tables',
    );
    ignored = new Map(rows.map((row) => [row.name, row.ignored]));
  });
  afterAll(() => database.end());

  beforeEach(async () => {
    const insert = async (sql: string): Promise<number> =>
      (await database.query<{ id: number }>('superuser', `${sql} RETURNING id`))[0]!.id;
    tenant = await insert(
      `INSERT INTO users (email, encrypted_password) VALUES (gen_random_uuid() || '@example.com', 'x')`,
    );
    job = await insert(`INSERT INTO jobs (user_id, source_key, title) VALUES (${tenant}, 'upwork:1', 'A job')`);
    await insert(`INSERT INTO proposals (user_id, job_id) VALUES (${tenant}, ${job})`);
    await insert(
      `INSERT INTO messages (user_id, job_id, sender_type, content)
       VALUES (${tenant}, ${job}, 'client', 'a'), (${tenant}, ${job}, 'client', 'b')`,
    );
    await insert(
      `INSERT INTO templates (user_id, name, body, generation_type)
       VALUES (${tenant}, 'one', 'a', 'message'), (${tenant}, 'two', 'b', 'message')`,
    );
    await insert(
      `INSERT INTO analytics (user_id, metric_name, metric_value, date)
       VALUES (${tenant}, 'views', 1, '2026-05-05'), (${tenant}, 'views', 1, '2001-01-01')`,
    );
  });

  const fill = (sql: string): string => sql.replaceAll('$tenant', String(tenant)).replaceAll('$job', String(job));

  /** Returns the rows of the tenant by table and id, without the columns that the audit ignores. */
  async function readRows(client: ClientBase): Promise<Map<string, Row>> {
    await client.query(`SET LOCAL timezone = 'UTC'`);
    const found = new Map<string, Row>();
    for (const table of TABLES) {
      const { rows } = await client.query<{ row: Row }>(
        `SELECT to_jsonb(t) - $2::text[] AS row FROM ${table} t WHERE user_id = $1`,
        [tenant, ignored.get(table)],
      );
      for (const { row } of rows) found.set(`${table} ${String(row['id'])}`, row);
    }
    return found;
  }

  function compare(before: ReadonlyMap<string, Row>, after: ReadonlyMap<string, Row>): Change[] {
    const changes: Change[] = [];
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const [old, now] = [before.get(key) ?? null, after.get(key) ?? null];
      const [table, id] = key.split(' ') as [string, string];
      const changed = Object.keys(now ?? {}).filter(
        (name) => JSON.stringify(old?.[name]) !== JSON.stringify(now![name]),
      );
      const only = (row: Row): Row => Object.fromEntries(changed.map((name) => [name, row[name]]));
      const change = { table, id: Number(id) };
      if (!old) changes.push({ ...change, action: 'INSERT', old, new: now });
      else if (!now) changes.push({ ...change, action: 'DELETE', old, new: now });
      else if (changed.length > 0) changes.push({ ...change, action: 'UPDATE', old: only(old), new: only(now) });
    }
    return changes;
  }

  /** Runs statements in a transaction, and returns what they changed and what the audit has of it. */
  function observe(sql: string): Promise<{ changed: Change[]; logged: Change[] }> {
    return database.transaction('superuser', async (client) => {
      const before = await readRows(client);
      await client.query(fill(sql));
      await client.query('RESET ROLE');
      const changed = compare(before, await readRows(client));
      const { rows } = await client.query<Change>(
        `SELECT table_name AS "table", record_id AS id, action, old_values AS old, new_values AS new
         FROM audit_logs WHERE transaction_id = pg_current_xact_id()`,
      );
      return { changed, logged: rows };
    });
  }

  const sort = (changes: readonly Change[]): Change[] =>
    [...changes].sort((left, right) => left.table.localeCompare(right.table) || left.id - right.id);

  it.each(PATHS)('leaves one audit row for each changed row: $name', async ({ sql, changes }) => {
    const { changed, logged } = await observe(sql);

    expect(changed).toHaveLength(changes);
    expect(sort(logged)).toEqual(sort(changed));
  });

  it.each(PATHS)('leaves none when it is rolled back: $name', async ({ sql }) => {
    const count = async (): Promise<unknown> =>
      (await database.query('superuser', 'SELECT count(*) AS rows FROM audit_logs'))[0]!['rows'];
    const before = await count();
    await expect(
      database.transaction('superuser', async (client) => {
        await client.query('SAVEPOINT part');
        await client.query(fill(sql));
        await client.query('RESET ROLE');
        await client.query('ROLLBACK TO part');
        await client.query(fill(sql));
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');

    expect(await count()).toBe(before);
  });

  it('leaves the rows of a cascade also when the subscriber records the statement itself', async () => {
    const context = signContext('superuser', { auditSource: 'subscriber' });
    const { changed, logged } = await observe(
      `SELECT set_config('app.context', '${context}', true); DELETE FROM jobs WHERE id = $job`,
    );

    expect(sort(logged)).toEqual(sort(changed).filter(({ table }) => table !== 'jobs'));
  });

  it.each(['', 'SET LOCAL ROLE gigvault_owner;'])(
    'cannot be TRUNCATE, also of a partition or a log: %s',
    async (role) => {
      for (const table of [...TABLES, 'analytics_default', 'audit_logs', 'security_logs', 'audit_logs_default'])
        for (const only of ['', 'ONLY '])
          await expect(observe(`${role} TRUNCATE ${only}${table} CASCADE`)).rejects.toThrow(
            /would leave no trace|cannot truncate only/,
          );
    },
  );

  it('is found at the start of a server when a trigger was disabled', async () => {
    const find = (): Promise<string[]> => findSchemaProblems((sql) => database.query('app', sql));
    expect(await find()).toEqual([]);
    await database.query('superuser', 'ALTER TABLE templates DISABLE TRIGGER audit_update');
    const problems = await find();
    await database.query('superuser', 'ALTER TABLE templates ENABLE TRIGGER audit_update');

    expect(problems).toEqual([expect.stringContaining('templates')]);
  });

  it('is not seen in a session of a superuser who turns triggers off for replication', async () => {
    const { changed, logged } = await observe(
      `SET LOCAL session_replication_role = replica; UPDATE templates SET body = 'unseen' WHERE user_id = $tenant`,
    );

    expect(changed).toHaveLength(2);
    expect(logged).toEqual([]);
  });
});
