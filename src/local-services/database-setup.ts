import { existsSync, readFileSync } from 'node:fs';
import {
  type CatalogQuery,
  NEWER_SCHEMA_CURES,
  pendingMigrations,
  type UnknownSchema,
  unknownSchema,
} from '../platform/database/schema/schema-problems';
import { findProjectRoot, OperatorError } from './data-folder';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { deriveContextKeyPads } from '../platform/database/context-signer';
import type { migrationSource } from '../platform/database/schema/migration-source';

/** Error for a database that another version of Gigvault has migrated. This version must not change it. */
export class UnknownSchemaError extends OperatorError {
  override name = 'UnknownSchemaError';

  constructor(readonly schema: UnknownSchema) {
    super(`Nothing was changed: ${schema.reason}: ${schema.remedy}.`);
  }
}

/**
 * Rejects a database with migrations that this version does not have. Call it before any change.
 * @throws UnknownSchemaError
 */
export async function assertKnownSchema(query: CatalogQuery): Promise<void> {
  const schema = await unknownSchema(query);
  if (schema !== undefined) throw new UnknownSchemaError(schema);
}

/**
 * Adds the shell commands to an UnknownSchemaError: those that make a newer schema usable, keep the installation's data
 * or remove it.
 * @param dataFolder folder of the installation; moved as a whole, so the keys stay with the data
 * @param servicesFolder folder of its PostgreSQL and Redis
 */
export function withCommands(error: unknown, dataFolder: string, servicesFolder: string): unknown {
  if (!(error instanceof UnknownSchemaError)) return error;
  const kept = freeName(`${dataFolder}-old`);
  const folders = [...new Set([dataFolder, servicesFolder])];
  const causes = error.schema.isOlder ? [] : Object.entries(NEWER_SCHEMA_CURES);
  const ways = causes.map(([cause, commands]) => `\n  ${cause}   ${commands}`).join('');
  return new OperatorError(`Nothing was changed: ${error.schema.reason}.
With Gigvault stopped,${ways}
  keep the data   mv ${quoted(dataFolder)} ${quoted(kept)}
  remove it       rm -rf ${folders.map(quoted).join(' ')}
and start again. The version that made the data still runs on it with GIGVAULT_DATA_DIR=${quoted(kept)}.`);
}

function freeName(path: string, count = 1): string {
  const name = count === 1 ? path : `${path}-${count}`;
  return existsSync(name) ? freeName(path, count + 1) : name;
}

/** Quotes a path as one word of a POSIX shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The login roles of docker/postgres/bootstrap.sql by their short names. */
export const LOGINS = {
  migrator: 'gigvault_migrator',
  app: 'gigvault_app',
  auth: 'gigvault_auth',
  worker: 'gigvault_worker',
  admin: 'gigvault_admin',
  backup: 'gigvault_backup',
  monitor: 'gigvault_monitor',
} as const;

/** A login role, or `superuser`: the cluster's `postgres`. */
export type Role = keyof typeof LOGINS | 'superuser';

/** The roles that bootstrap.sql creates. */
export const LOGIN_ROLES = Object.keys(LOGINS) as (keyof typeof LOGINS)[];

/** All roles with a password. */
export const ROLES: readonly Role[] = ['superuser', ...LOGIN_ROLES];

/** Returns a new random password for each role. */
export function createPasswords(): Record<Role, string> {
  return Object.fromEntries(ROLES.map((role) => [role, createPassword()])) as Record<Role, string>;
}

/** Returns 192 random bits in characters that need no escaping in URLs, connection strings and config files. */
export function createPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** Returns the login name of a role. */
export function getLogin(role: Role): string {
  return role === 'superuser' ? 'postgres' : LOGINS[role];
}

/**
 * Creates a database unless it exists, and runs docker/postgres/bootstrap.sql in it: roles, passwords, extensions,
 * CONNECT privileges. It can be repeated; without `passwords` they do not change.
 *
 * `urlOf` returns the superuser's URL of a database of the cluster.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function bootstrapDatabase(
  urlOf: (database: string) => string,
  database: string,
  passwords?: Record<Role, string>,
): Promise<void> {
  await withClient(urlOf('postgres'), async (client) => {
    // The server builds the statement because it quotes the name.
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

/** Runs `work` on a new connection and closes it. */
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
 * Returns whether a database lacks migrations of this version.
 * @throws UnknownSchemaError when another version has migrated it
 */
export async function hasPendingMigrations(migrationUrl: string): Promise<boolean> {
  return withClient(migrationUrl, async (client) => {
    const query: CatalogQuery = async (sql) => (await client.query<Record<string, unknown>>(sql)).rows;
    await assertKnownSchema(query);
    return (await pendingMigrations(query)).length > 0;
  });
}

/**
 * Runs the pending migrations as the migration login, each in its own transaction, and returns their names.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function runMigrations(migrationUrl: string): Promise<string[]> {
  return withDataSource(migrationUrl, async (dataSource) => {
    return (await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name);
  });
}

/** The logins whose contexts are signed. */
export const SIGNING_LOGINS: readonly string[] = [LOGINS.app, LOGINS.auth, LOGINS.worker, LOGINS.admin, LOGINS.monitor];

const STORE_CONTEXT_KEY = `
  WITH replaced AS (
    UPDATE secrets.context_keys SET replaced_at = now() WHERE login = $1 AND inner_pad <> $2 AND replaced_at IS NULL
  ), removed AS (
    DELETE FROM secrets.context_keys
    WHERE login = $1 AND inner_pad <> $2 AND replaced_at < now() - interval '1 day'
  )
  INSERT INTO secrets.context_keys (login, inner_pad, outer_pad) VALUES ($1, $2, $3)
  ON CONFLICT (login, inner_pad) DO UPDATE SET replaced_at = NULL`;

/**
 * Stores the keys that verify the contexts of each login. It can be repeated. Former keys stay valid for a day, so
 * running processes continue until they are restarted with the new key.
 */
export async function storeContextKeys(migrationUrl: string, root: Buffer, logins = SIGNING_LOGINS): Promise<void> {
  await withClient(migrationUrl, async (client) => {
    for (const login of logins) {
      const { inner, outer } = deriveContextKeyPads(root, login);
      await client.query(STORE_CONTEXT_KEY, [login, inner, outer]);
    }
  });
}

/**
 * Reverts the newest migration.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function revertLatestMigration(migrationUrl: string): Promise<void> {
  await withDataSource(migrationUrl, (dataSource) => dataSource.undoLastMigration({ transaction: 'each' }));
}

/** Loads TypeORM, which takes longer than the rest of a program's start; most programs run no migrations. */
function loadMigrationSource(): typeof migrationSource {
  const load = createRequire(__filename);
  return (load('../platform/database/schema/migration-source') as { migrationSource: typeof migrationSource })
    .migrationSource;
}

async function withDataSource<T>(url: string, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = loadMigrationSource()(url);
  await dataSource.initialize();
  try {
    await assertKnownSchema((sql) => dataSource.query<Record<string, unknown>[]>(sql));
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
