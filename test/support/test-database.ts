import { randomBytes } from 'node:crypto';
import { type Client, type ClientBase, Pool } from 'pg';
import { getLogin, type Role, ROLES, withClient } from '../../src/local-services/database-setup';
import { pgTypes } from '../../src/platform/database/driver/direct-connection';
import { signContext } from './signed-context';
import { TEMPLATE_DATABASE, testServices, buildTestUrl } from './test-services';

/** A migrated database for one test file. */
export interface TestDatabase {
  name: string;
  /** A connection URL for each role. */
  urls: Record<Role, string>;
  /**
   * Runs one statement as the role in its own transaction, without a tenant; returns the rows. The context of a system
   * role is signed, as the server does.
   */
  query<Row = Record<string, unknown>>(role: Role, sql: string, values?: unknown[]): Promise<Row[]>;
  /** Runs work as the role in one transaction, signed like `query`, which is rolled back when the work throws. */
  transaction<T>(role: Role, work: (client: ClientBase) => Promise<T>): Promise<T>;
  /** Closes the connections and drops the database; call it in afterAll. */
  end(): Promise<void>;
}

/** The roles without a tenant whose contexts the server signs. */
const SYSTEM_ROLES: ReadonlySet<Role> = new Set<Role>(['auth', 'worker', 'admin', 'monitor']);

/** More than the transactions that a test holds open at once, and the statements beside them. */
const MAX_CONNECTIONS = 20;

/** Clones the migrated template in about a tenth of a second. Values are parsed as in the application. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { postgres } = testServices();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const superuserUrl = (database: string): string => buildTestUrl(postgres, 'superuser', 'postgres', database);
  await withClient(superuserUrl('postgres'), (client) => cloneTemplate(client, name));
  const urls = Object.fromEntries(
    ROLES.map((role) => [role, buildTestUrl(postgres, role, getLogin(role), name)]),
  ) as Record<Role, string>;
  const pools = new Map<Role, Pool>();
  const poolOf = (role: Role): Pool => {
    const known = pools.get(role);
    if (known) return known;
    const pool = new Pool({ connectionString: urls[role], max: MAX_CONNECTIONS, types: pgTypes });
    // DROP DATABASE may end a connection that is still closing; without a listener that error would stop the test.
    pool.on('connect', (client) => client.on('error', () => undefined)).on('error', () => undefined);
    pools.set(role, pool);
    return pool;
  };
  return {
    name,
    urls,
    query: async <Row>(role: Role, sql: string, values?: unknown[]) => {
      if (!SYSTEM_ROLES.has(role)) return (await poolOf(role).query(sql, values)).rows as Row[];
      return inTransaction(role, poolOf(role), async (client) => (await client.query(sql, values)).rows as Row[]);
    },
    transaction: (role, work) => inTransaction(role, poolOf(role), work),
    end: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
      await withClient(superuserUrl('postgres'), (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** Copies the files of the template, which costs less than the default of logging each page, and its privileges. */
async function cloneTemplate(client: Client, name: string): Promise<void> {
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE} STRATEGY FILE_COPY`);
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, $1::text, grantee::regrole) AS statement
     FROM pg_database, aclexplode(datacl) WHERE datname = $2`,
    [name, TEMPLATE_DATABASE],
  );
  await client.query([`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`, ...rows.map((row) => row.statement)].join(';'));
}

async function inTransaction<T>(role: Role, pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    if (SYSTEM_ROLES.has(role))
      await client.query(`SELECT set_config('app.context', $1, true)`, [signContext(role, {})]);
    const result = await work(client);
    await client.query('COMMIT');
    // The next transaction starts as on a new connection: without settings, prepared statements and locks of this one.
    await client.query('DISCARD ALL');
    client.release();
    return result;
  } catch (error) {
    // Without a COMMIT, closing the connection rolls back.
    client.release(true);
    throw error;
  }
}
