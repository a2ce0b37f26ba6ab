import { Client } from 'pg';
import { setTenant } from '../support/signed-context';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { type Login, LOGINS } from './attempts';

/** The modes that stop writers or readers, the strongest first. ROW EXCLUSIVE stops migrations only. */
const MODES = ['ACCESS EXCLUSIVE', 'EXCLUSIVE', 'SHARE ROW EXCLUSIVE', 'SHARE', 'SHARE UPDATE EXCLUSIVE'];

/**
 * The tables that a login can lock in each mode: PostgreSQL 15 asks for UPDATE, DELETE or TRUNCATE on the table, and a
 * right to columns is not enough. Users delete their rows of these tables by ordinary DELETEs of the server.
 * @see https://www.postgresql.org/docs/15/sql-lock.html
 */
const LOCKABLE: Readonly<Record<Login, readonly string[]>> = {
  app: [
    ...['ai_runs', 'idempotency_keys', 'messages', 'proposals', 'saved_searches', 'templates', 'user_tokens'],
    'webhooks',
  ],
  auth: [],
  worker: [],
  admin: [],
  monitor: [],
  backup: [],
};

const RELATIONS = `
  SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(toast|temp)'
  ORDER BY 1`;

describe('locks of an attacker with a login of the server', () => {
  let database: TestDatabase;
  const clients: Client[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
  });
  afterAll(() => database.end());

  async function connect(login: Login): Promise<Client> {
    const client = new Client({ connectionString: database.urls[login] });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    await client.query('SET default_transaction_read_only = off');
    return client;
  }

  /** Returns the SQLSTATE of a statement in a transaction of its own, or undefined. */
  async function readCode(client: Client, sql: string): Promise<string | undefined> {
    try {
      await client.query(`BEGIN; ${sql}; ROLLBACK`);
      return undefined;
    } catch (error) {
      await client.query('ROLLBACK');
      return (error as { code: string }).code;
    }
  }

  it.each(LOGINS)('as %s stop writers and readers of no other tables than these', async (login) => {
    const client = await connect(login);
    const relations = await database.query<{ name: string }>('superuser', RELATIONS);
    const locked: string[] = [];
    for (const { name } of relations)
      for (const mode of MODES)
        if ((await readCode(client, `LOCK TABLE ${name} IN ${mode} MODE NOWAIT`)) === undefined)
          locked.push(`${name} ${mode}`);

    expect(relations.length).toBeGreaterThan(100);
    expect(locked).toEqual(LOCKABLE[login].flatMap((name) => MODES.map((mode) => `${name} ${mode}`)));
  });

  it('end with their session, which a superuser ends, also without time limits', async () => {
    const attacker = await connect('app');
    const user = await connect('app');
    const read = async (): Promise<string | undefined> => readCode(user, 'SELECT FROM messages');
    await setTenant(user, 1);
    await attacker.query('SET idle_in_transaction_session_timeout = 0');
    await attacker.query('BEGIN');
    await attacker.query('LOCK TABLE messages IN ACCESS EXCLUSIVE MODE');
    await user.query('SET lock_timeout = 1');

    expect(await read()).toBe('55P03');
    await database.query(
      'superuser',
      `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
       WHERE usename = 'gigvault_app' AND datname = current_database() AND state = 'idle in transaction'`,
    );
    expect(await read()).toBeUndefined();
    await expect(attacker.query('SELECT')).rejects.toThrow();
  });

  it.each([
    ['app', '1min'],
    ['worker', '1min'],
    ['auth', '30s'],
    ['admin', '30s'],
  ] as const)('as %s end after %s without a statement by default', async (login, limit) => {
    const client = await connect(login);

    expect((await client.query('SHOW idle_in_transaction_session_timeout')).rows).toEqual([
      { idle_in_transaction_session_timeout: limit },
    ]);
  });

  it('as worker do not stop a request of an admin for a backup', async () => {
    const attacker = await connect('worker');
    await attacker.query('BEGIN');
    const locking = attacker.query('LOCK TABLE backups IN SHARE MODE');

    await expect(locking).rejects.toMatchObject({ code: '42501' });
    await database.transaction('admin', async (admin) => {
      await admin.query(`SET LOCAL lock_timeout = 1`);
      await admin.query(`INSERT INTO backups (started_by, started_by_id) VALUES ('admin', 1)`);
    });
  });
});
