import { Client } from 'pg';
import { type TestDatabase, createTestDatabase } from '../support/test-database';
import { ACTORS, type Actor, MATRIX, OPERATIONS, type Operation, type Tenant, CONTEXT_VIEWS, VIEWS } from './matrix';
import { signContext } from '../support/signed-context';

const ROLE_OF = { owner: 'app', other: 'app', none: 'app', admin: 'admin', worker: 'worker' } as const;

/** Tables that every login of a server reads: lists of the schema. */
const WITHOUT_ROWS_OF_USERS = new Set([
  'public.schema_migrations',
  'app.partitioned_tables',
  'app.view_refreshes',
  'audit.audited_tables',
]);

describe('row security', () => {
  let database: TestDatabase;
  const clients = new Map<string, Client>();
  let alice: Tenant;
  let bob: Tenant;
  /** Has only a job, so that an insert for this tenant does not meet a row with the same key. */
  let carol: Tenant;

  const createTenant = async (): Promise<Tenant> => {
    const [user] = await database.query<{ id: number }>(
      'superuser',
      `${MATRIX['public.users']!.make({ userId: 0, jobId: 0 })} RETURNING id`,
    );
    const userId = user!.id;
    const [job] = await database.query<{ id: number }>(
      'superuser',
      `${MATRIX['public.jobs']!.make({ userId, jobId: 0 })} RETURNING id`,
    );
    return { userId, jobId: job!.id };
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    [alice, bob, carol] = [await createTenant(), await createTenant(), await createTenant()];
    for (const [table, rules] of Object.entries(MATRIX)) {
      if (table === 'public.users' || table === 'public.jobs') continue;
      for (const tenant of rules.tenant ? [alice, bob] : [alice]) await database.query('superuser', rules.make(tenant));
    }
    await database.query('worker', 'SELECT refresh_user_job_stats()');
    for (const role of ['app', 'admin', 'worker'] as const) {
      const client = new Client({ connectionString: database.urls[role] });
      await client.connect();
      clients.set(role, client);
    }
  });
  afterAll(async () => {
    await Promise.all([...clients.values()].map((client) => client.end()));
    await database.end();
  });

  /** Returns the rows that a statement reached, x for a refusal, or the SQLSTATE of another error; rolls back. */
  const attempt = async (actor: Actor, owner: Tenant, sql: string, isSigned = true): Promise<string> => {
    const role = ROLE_OF[actor];
    const client = clients.get(role)!;
    const tenant = actor === 'owner' ? owner.userId : actor === 'other' ? bob.userId : '';
    await client.query('BEGIN');
    try {
      if (isSigned) await client.query(`SELECT set_config('app.context', $1, true)`, [signContext(role, { tenant })]);
      const { rowCount } = await client.query(sql);
      return (rowCount ?? 0) > 0 ? '1' : '0';
    } catch (error) {
      const { code } = error as { code: string };
      return code === '42501' ? 'x' : code;
    } finally {
      await client.query('ROLLBACK');
    }
  };

  const rowOf = async (owner: Tenant, sql: string, isSigned = true): Promise<string> => {
    const cells: string[] = [];
    for (const actor of ACTORS) cells.push(await attempt(actor, owner, sql, isSigned));
    return cells.join(' ');
  };

  const statement = (table: string, operation: Operation): [Tenant, string] => {
    const { tenant, set, make } = MATRIX[table]!;
    const filter = tenant ? ` WHERE ${tenant} = ${alice.userId}` : '';
    const statements: Record<Operation, string> = {
      select: `SELECT ${tenant ?? '1'} FROM ${table}${filter}`,
      insert: make(carol),
      update: `UPDATE ${table} SET ${set}${filter}`,
      delete: `DELETE FROM ${table}${filter}`,
    };
    return [operation === 'insert' ? carol : alice, statements[operation]];
  };

  describe.each(Object.keys(MATRIX))('of %s', (table) => {
    it.each(OPERATIONS)(`lets ${ACTORS.join(', ')} %s as the matrix defines`, async (operation) => {
      expect(await rowOf(...statement(table, operation))).toBe(MATRIX[table]![operation]);
    });
  });

  it.each(Object.entries(VIEWS))('of the view %s is %s', async (view, expected) => {
    expect(await rowOf(alice, `SELECT FROM ${view} WHERE user_id = ${alice.userId}`)).toBe(expected);
  });

  it.each(Object.entries(CONTEXT_VIEWS))('of the view %s is %s', async (view, expected) => {
    expect(await rowOf(alice, `SELECT FROM ${view}`)).toBe(expected);
  });

  it.each(Object.keys(MATRIX).filter((table) => !WITHOUT_ROWS_OF_USERS.has(table)))(
    'lets nobody read or change a row of %s without a signature',
    async (table) => {
      for (const operation of OPERATIONS) {
        expect([operation, await rowOf(...statement(table, operation), false)]).toEqual([
          operation,
          MATRIX[table]![operation].replaceAll(/[01]/g, operation === 'insert' ? 'x' : '0'),
        ]);
      }
    },
  );

  it('shows a tenant no other jobs', async () => {
    expect(await rowOf(alice, `SELECT FROM jobs WHERE user_id <> ${alice.userId}`)).toBe('0 1 0 x x');
  });

  it('knows every table and view: one that is missing from the matrix counts as unsafe', async () => {
    const relations = await database.query<{ name: string }>(
      'superuser',
      `SELECT c.relnamespace::regnamespace || '.' || c.relname AS name FROM pg_class c
       WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
         AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
    );

    expect(relations.map(({ name }) => name).sort()).toEqual(
      [MATRIX, VIEWS, CONTEXT_VIEWS].flatMap(Object.keys).sort(),
    );
  });

  it('refuses every login direct access to partitions, which would skip the parent', async () => {
    const partitions = await database.query<{ name: string }>(
      'superuser',
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relispartition AND relkind = 'r'`,
    );

    expect(partitions.length).toBeGreaterThanOrEqual(12);
    for (const { name } of partitions) {
      expect([name, await rowOf(alice, `SELECT FROM ${name}`)]).toEqual([name, 'x x x x x']);
      expect([name, await rowOf(alice, `DELETE FROM ${name}`)]).toEqual([name, 'x x x x x']);
    }
  });

  it('refuses a proposal on the job of another tenant as it refuses one on no job', async () => {
    const onJob = (jobId: number): string => `INSERT INTO proposals (job_id) VALUES (${jobId})`;

    expect(await attempt('other', alice, onJob(alice.jobId))).toBe('23503');
    expect(await attempt('other', alice, onJob(999_999))).toBe('23503');
  });

  it.each([
    ['freelancer', 'a story', null, '1 0 0 x x'],
    ['client', 'a story', null, '0 0 0 x x'],
    ['freelancer', null, null, '0 0 0 x x'],
    ['freelancer', 'a story', 'sent', '0 0 0 x x'],
  ])(
    'of deleted messages depends on author %s, story %s and delivery %s',
    async (author, story, delivery, expected) => {
      const values = [alice.userId, author, story, delivery, delivery && new Date()];
      const [row] = await database.query<{ id: number }>(
        'superuser',
        `INSERT INTO messages (user_id, room_id, content, sender_type, upwork_message_id, delivery, attempted_at)
       VALUES ($1, 'room', 'x', $2, $3, $4, $5) RETURNING id`,
        values,
      );

      expect(await rowOf(alice, `DELETE FROM messages WHERE id = ${row!.id}`)).toBe(expected);
      await database.query('superuser', 'DELETE FROM messages WHERE id = $1', [row!.id]);
    },
  );

  it('refuses to move a row to another tenant', async () => {
    expect(await attempt('owner', alice, `UPDATE jobs SET user_id = ${bob.userId}`)).toBe('x');
  });
});
