import { existsSync, readFileSync } from 'node:fs';
import { type CatalogQuery, type UnknownSchema, unknownSchema } from '../platform/database/schema/schema-verifier';
import { findProjectRoot, OperatorError } from './data-folder';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { migrationSource } from '../platform/database/schema/migrations';

/** A database that another version of Gigvault has migrated and this one must not touch. */
export class UnknownSchemaError extends OperatorError {
  override name = 'UnknownSchemaError';

  constructor(readonly schema: UnknownSchema) {
    super(`Nothing was changed: ${schema.reason}.`);
  }
}

/**
 * Refuses a database with migrations that this version does not have. Call it before anything is changed.
 * @throws UnknownSchemaError
 */
export async function assertKnownSchema(query: CatalogQuery): Promise<void> {
  const schema = await unknownSchema(query);
  if (schema !== undefined) throw new UnknownSchemaError(schema);
}

/**
 * Adds to an UnknownSchemaError the commands that keep or remove the data of an installation on embedded services.
 * @param dataFolder the installation's folder; it is moved as a whole, so its keys stay with its data
 * @param servicesFolder where its PostgreSQL and Redis keep their files
 */
export function withCommands(error: unknown, dataFolder: string, servicesFolder: string): unknown {
  if (!(error instanceof UnknownSchemaError) || !error.schema.isOlder) return error;
  const kept = freeName(`${dataFolder}-old`);
  const folders = [...new Set([dataFolder, servicesFolder])];
  return new OperatorError(`${error.message}
With Gigvault stopped,
  keep the data   mv ${quoted(dataFolder)} ${quoted(kept)}
  remove it       rm -rf ${folders.map(quoted).join(' ')}
and start again. The version that made the data still runs on it with GIGVAULT_DATA_DIR=${quoted(kept)}.`);
}

function freeName(path: string, count = 1): string {
  const name = count === 1 ? path : `${path}-${count}`;
  return existsSync(name) ? freeName(path, count + 1) : name;
}

/** As a POSIX shell takes it for one word. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Are the login roles of docker/postgres/bootstrap.sql, by the name people use for them. */
export const LOGINS = {
  migrator: 'gigvault_migrator',
  app: 'gigvault_app',
  auth: 'gigvault_auth',
  worker: 'gigvault_worker',
  admin: 'gigvault_admin',
  backup: 'gigvault_backup',
  monitor: 'gigvault_monitor',
} as const;

/** Is a login role of ours, or `superuser`, the cluster's own `postgres`. */
export type Role = keyof typeof LOGINS | 'superuser';

/** Are the roles bootstrap.sql makes. */
export const LOGIN_ROLES = Object.keys(LOGINS) as (keyof typeof LOGINS)[];

/** Every role there is a password for. */
export const ROLES: readonly Role[] = ['superuser', ...LOGIN_ROLES];

/** Returns a fresh random password for each role. */
export function createPasswords(): Record<Role, string> {
  return Object.fromEntries(ROLES.map((role) => [role, createPassword()])) as Record<Role, string>;
}

/** Returns 192 random bits in letters that need no escape in a URL, a connection string or a config file. */
export function createPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** Returns the login name of a role. */
export function getLogin(role: Role): string {
  return role === 'superuser' ? 'postgres' : LOGINS[role];
}

/**
 * Creates a database unless it exists, and runs docker/postgres/bootstrap.sql in it: roles, their passwords,
 * extensions, who may connect. May be run any number of times; without `passwords` they stay as they are.
 *
 * `urlOf` gives the superuser's URL of a database of that cluster.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function bootstrapDatabase(
  urlOf: (database: string) => string,
  database: string,
  passwords?: Record<Role, string>,
): Promise<void> {
  await withClient(urlOf('postgres'), async (client) => {
    // The server writes the statement: it knows how to quote a name.
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('CREATE DATABASE %I', $1::text) AS statement
       WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)`,
      [database],
    );
    for (const { statement } of rows) await client.query(statement);
  });
  await withClient(urlOf(database), async (client) => {
    await assertKnownSchema(async (sql) => (await client.query<Record<string, unknown>>(sql)).rows);
    for (const role of passwords ? LOGIN_ROLES : []) {
      await client.query('SELECT set_config($1, $2, false)', [`gigvault.password_${role}`, passwords?.[role]]);
    }
    await client.query(readFileSync(join(findProjectRoot(), 'docker', 'postgres', 'bootstrap.sql'), 'utf8'));
  });
}

/** Runs some work on a connection of its own and closes it. */
export async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Runs every pending migration as the migration login and returns their names. Each runs in its own transaction.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function runMigrations(migrationUrl: string): Promise<string[]> {
  return withDataSource(migrationUrl, async (dataSource) => {
    return (await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name);
  });
}

/**
 * Undoes the newest migration.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function revertLatestMigration(migrationUrl: string): Promise<void> {
  await withDataSource(migrationUrl, (dataSource) => dataSource.undoLastMigration({ transaction: 'each' }));
}

async function withDataSource<T>(url: string, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = migrationSource(url);
  await dataSource.initialize();
  try {
    await assertKnownSchema((sql) => dataSource.query<Record<string, unknown>[]>(sql));
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
