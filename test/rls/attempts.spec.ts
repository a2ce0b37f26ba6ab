import { Client } from 'pg';
import { getLogin } from '../../src/local-services/database-setup';
import { findSchemaProblems } from '../../src/platform/database/schema/schema-problems';
import { readCatalog } from '../contract/read-catalog';
import { signContext } from '../support/signed-context';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { type Attempt, ATTEMPTS, type Login, LOGINS, type Signature } from './attempts';
import { FUNCTION_ATTEMPTS } from './function-attempts';
import { LEAK_ATTEMPTS } from './leak-attempts';
import { MATRIX } from './matrix';

/** The tenant whose values no attempt may show. */
const BOB = 987_654_321;
const MARK = /b0bmark|987654321/;
const MINUTE_MS = 60_000;

/** Tables with rows of both tenants, and lists of the schema. */
const NOT_FILLED = new Set([
  ...['public.users', 'public.jobs', 'public.schema_migrations', 'app.partitioned_tables', 'audit.audited_tables'],
  'secrets.context_keys',
]);

/**
 * The functions of Gigvault's schemas with a call that gives each argument as NULL, and whether a login may call them.
 * A function that a migration adds is here by itself.
 */
const FUNCTIONS = `
  SELECT p.oid::regproc::text AS name, p.oid::regproc || '(' || arguments.list || ')' AS call,
    has_schema_privilege($1, n.oid, 'USAGE') AND has_function_privilege($1, p.oid, 'EXECUTE') AS "isAllowed"
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
    LATERAL (SELECT coalesce(string_agg('NULL::' || format_type(type, NULL), ', '), '') AS list
             FROM unnest(p.proargtypes) AS type) AS arguments
  WHERE n.nspname !~ '^(pg_|information_schema)' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  ORDER BY 1`;

interface FunctionCall {
  readonly name: string;
  readonly call: string;
  readonly isAllowed: boolean;
}

const ALL: [login: Login, attempt: Attempt][] = [
  ...LOGINS.flatMap((login) =>
    [...ATTEMPTS, ...FUNCTION_ATTEMPTS[login]].map((attempt): [Login, Attempt] => [login, attempt]),
  ),
  ...LEAK_ATTEMPTS.map((attempt): [Login, Attempt] => ['app', { signature: 'own', ...attempt }]),
];

describe('SQL of an attacker with a login of the server', () => {
  let database: TestDatabase;
  let ann: number;
  let before: unknown;
  let seen: unknown[] = [];
  const sessions = new Map<Login, Client>();

  beforeAll(async () => {
    database = await createTestDatabase();
    const [row] = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password) VALUES ('ann@example.com', 'x') RETURNING id`,
    );
    ann = row!.id;
    await addBob();
    await database.query('superuser', 'SELECT refresh_user_job_stats()');
    await database.query('superuser', 'ANALYZE');
    before = await readState();
  });
  // Not a test, because tests run in a random order.
  afterAll(async () => {
    await Promise.all([...sessions.values()].map((session) => session.end()));
    try {
      expect(await readState()).toEqual(before);
      expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([]);
    } finally {
      await database.end();
    }
  });

  /** Adds a row of Bob to each table, and jobs of both. */
  async function addBob(): Promise<void> {
    await database.query(
      'superuser',
      `INSERT INTO users (id, email, encrypted_password) OVERRIDING SYSTEM VALUE
       VALUES (${BOB}, 'b0bmark@example.com', 'b0bmark')`,
    );
    const jobs = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO jobs (user_id, source_key, title, skills, client_spent)
       VALUES (${BOB}, 'upwork:b0b', 'b0bmark', '{b0bmark}', 99999), (${ann}, 'upwork:ann', 'of Ann', '{sql}', 5)
       RETURNING id`,
    );
    const tenant = { userId: BOB, jobId: jobs[0]!.id };
    for (const [table, { make }] of Object.entries(MATRIX))
      if (!NOT_FILLED.has(table)) await database.query('superuser', make(tenant));
    await database.query(
      'superuser',
      `INSERT INTO messages (user_id, room_id, content, sender_type)
       VALUES (${BOB}, 'room', 'b0bmark', 'client'), (${ann}, 'room', 'of Ann', 'client')`,
    );
  }

  /** Returns the rows of all tables, the catalog, and the settings of roles. */
  async function readState(): Promise<unknown> {
    const tables = Object.keys(MATRIX).map(
      (table) => `SELECT '${table}' AS name, md5(string_agg(t::text, ',' ORDER BY t::text)) AS rows FROM ${table} t`,
    );
    return {
      rows: await database.query('superuser', tables.join(' UNION ALL ')),
      catalog: await readCatalog((sql) => database.query('superuser', sql)),
      settings: await database.query(
        'superuser',
        'SELECT setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY 1',
      ),
      objects: await database.query('superuser', 'SELECT count(*) FROM pg_largeobject_metadata'),
    };
  }

  function sign(login: Login, signature: Signature): string {
    const another = login === 'app' ? 'worker' : 'app';
    const own = (signedAtMs?: number): string => signContext(login, { tenant: ann }, signedAtMs);
    const contexts: Record<Signature, () => string> = {
      none: () => '',
      other: () => signContext(another, { tenant: BOB }),
      moved: () => own().replace(`\x1f${ann}\x1f`, `\x1f${BOB}\x1f`),
      cut: () => own().slice(0, 32) + '0'.repeat(32) + own().slice(64),
      unsigned: () => own().slice(64),
      expired: () => own(Date.now() - MINUTE_MS),
      early: () => own(Date.now() + MINUTE_MS),
      own,
      bob: () => signContext(login, { tenant: BOB }),
    };
    return contexts[signature]();
  }

  /** Opens a session that adds to `seen` its messages beside the results. */
  async function open(login: Login): Promise<Client> {
    const client = new Client({ connectionString: database.urls[login] });
    client.on('notice', (notice) => seen.push(notice)).on('notification', (notification) => seen.push(notification));
    client.on('error', () => undefined);
    await client.connect();
    // Without a stream, pg discards the rows of COPY.
    (client as unknown as { connection: NodeJS.EventEmitter }).connection.on(
      'copyData',
      ({ chunk }: { chunk: Buffer }) => seen.push(chunk.toString()),
    );
    sessions.set(login, client);
    return client;
  }

  /** Makes a session as new. One that an attempt has ended is not used again. */
  async function reset(login: Login, client: Client): Promise<void> {
    try {
      await client.query('ROLLBACK');
      await client.query('DISCARD ALL');
    } catch {
      sessions.delete(login);
      await client.end();
    }
  }

  /**
   * Runs the statements in a session as new: DISCARD ALL leaves nothing of an earlier attempt, and a new connection for
   * each of the 400 would take most of the time. Returns the outcome and everything the session has seen.
   */
  async function run(login: Login, { sql, signature = 'none' }: Attempt): Promise<[outcome: string, seen: string]> {
    const client = sessions.get(login) ?? (await open(login));
    seen = [];
    try {
      await client.query('SET default_transaction_read_only = off');
      await client.query(`SELECT set_config('app.context', $1, false)`, [sign(login, signature)]);
      let last = 0;
      for (const statement of [sql].flat()) {
        const filled = statement.replaceAll('$bob', String(BOB)).replaceAll(':name', database.name);
        const { rows } = await client.query<object>(filled);
        seen.push(rows);
        last = rows.length;
      }
      return [last === 0 ? 'none' : 'rows', JSON.stringify(seen)];
    } catch (error) {
      const { code, message, detail, where } = error as Record<string, string | undefined>;
      return [code!, JSON.stringify([seen, message, detail, where])];
    } finally {
      await reset(login, client);
    }
  }

  it.each(ALL.map(([login, attempt]) => ({ login, attempt, name: attempt.name })))(
    '$login: $name',
    async ({ login, attempt }) => {
      const expected = attempt.expectedOf?.[login] ?? attempt.expected;
      const [outcome, seen] = await run(login, attempt);

      if (expected === 'all') {
        expect(['none', 'rows']).toContain(outcome);
        expect(seen).toMatch(MARK);
        return;
      }
      expect(seen).not.toMatch(MARK);
      if (expected === 'clean') expect(['none', 'rows']).toContain(outcome);
      else expect(outcome).toBe(expected);
    },
  );

  it.each(LEAK_ATTEMPTS.filter(({ name }) => name.startsWith('set_config of')))(
    'detects a leak: $name shows a tenant their own values',
    async (attempt) => {
      const [, seen] = await run('app', { ...attempt, signature: 'bob' });

      expect(seen).toMatch(MARK);
    },
  );

  const listFunctions = (login: Login): Promise<FunctionCall[]> =>
    database.query<FunctionCall>('superuser', FUNCTIONS, [getLogin(login)]);

  it.each(LOGINS)('has an attempt for each function that %s may call', async (login) => {
    const called = FUNCTION_ATTEMPTS[login].map(({ name }) => name.slice(0, name.indexOf('(')));
    const allowed = (await listFunctions(login)).filter(({ isAllowed }) => isAllowed).map(({ name }) => name);

    expect(allowed.length).toBeGreaterThan(0);
    expect(allowed.filter((name) => !called.includes(name))).toEqual([]);
  });

  it.each(LOGINS)(
    'refuses each function that %s may not call, and shows no value of a tenant by others',
    async (login) => {
      const outcomes: Record<string, string> = {};
      for (const { call, isAllowed } of await listFunctions(login)) {
        const [outcome, seen] = await run(login, { name: call, sql: `SELECT * FROM ${call}`, expected: '' });
        expect(seen).not.toMatch(MARK);
        if (!isAllowed) outcomes[call] = outcome;
      }

      expect(Object.keys(outcomes).length).toBeGreaterThan(40);
      expect(Object.entries(outcomes).filter(([, outcome]) => outcome !== '42501')).toEqual([]);
    },
  );

  it('makes more than 500 attempts, as README.md says', () => {
    expect(ALL.length).toBeGreaterThan(500);
  });
});
