import { SCHEMA_CHECKS, WARNING_CHECKS } from './schema-checks';
import { migrationNames, MIGRATIONS_TABLE } from './migrations';

/** A function that runs one statement with the caller's login and returns its rows. */
export type CatalogQuery = (sql: string) => Promise<Record<string, unknown>[]>;

/**
 * Finds defects of tenant isolation or audit in this database. Each is one sentence with the object and the remedy; the
 * list is empty when the server may start. Needs only the rights of gigvault_app and no transaction.
 * @param migrations the migrations that must have run; by default those of this build
 */
export async function findSchemaProblems(
  query: CatalogQuery,
  migrations: readonly string[] = migrationNames(),
): Promise<string[]> {
  const unknown = await unknownSchema(query, migrations);
  if (unknown !== undefined) return [`${unknown.reason}: ${unknown.remedy}`];
  const pending = await pendingMigrations(query, migrations);
  // Further problems would only be consequences of the missing migrations.
  if (pending.length > 0) return pending;
  const problems: string[] = [];
  for (const check of SCHEMA_CHECKS) {
    problems.push(...(await query(check)).map((row) => String(row.problem)));
  }
  return problems;
}

/** Finds problems to fix soon that do not prevent the start, one sentence each. */
export async function findSchemaWarnings(query: CatalogQuery): Promise<string[]> {
  const warnings: string[] = [];
  for (const check of WARNING_CHECKS) warnings.push(...(await query(check)).map((row) => String(row.warning)));
  return warnings;
}

/** The reason why this version cannot use a database: its migrations are not those of this version. */
export interface UnknownSchema {
  /** The state of the database. */
  readonly reason: string;
  readonly remedy: string;
  /** True for a database from before the first release. Its migrations were replaced, so it cannot be upgraded. */
  readonly isOlder: boolean;
}

/**
 * Finds migrations in the database that this version does not have, or has with another content.
 * @param known the migrations of this version
 * @returns undefined when there are none
 */
export async function unknownSchema(
  query: CatalogQuery,
  known: readonly string[] = migrationNames(),
): Promise<UnknownSchema | undefined> {
  const applied = await appliedMigrations(query);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length === 0) return applied.length > 0 ? unsignedSchema(query) : undefined;
  const earliest = Math.min(...known.map(parseTime));
  const older = unknown.filter((name) => parseTime(name) < earliest);
  return older.length > 0 ? describeOlderSchema(older) : describeNewerSchema(unknown);
}

const NEW_DATABASE = 'use a new database, or drop this one and create it again';

const HAS_SIGNED_CONTEXT = `
  SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'auth' AND c.relname = 'signed_session') AS there`;

/**
 * Finds a database whose migrations have the names of today's and another content: while nothing is released, a
 * migration may change in place.
 */
async function unsignedSchema(query: CatalogQuery): Promise<UnknownSchema | undefined> {
  const [row] = await query(HAS_SIGNED_CONTEXT);
  if (row?.there) return undefined;
  const reason =
    'the database was made by an earlier development version of Gigvault, before contexts were signed, and cannot be ' +
    'upgraded';
  return { reason, remedy: NEW_DATABASE, isOlder: true };
}

function describeOlderSchema(migrations: readonly string[]): UnknownSchema {
  const count = migrations.length === 1 ? '1 migration' : `${migrations.length} migrations`;
  const range = [...new Set([migrations[0], migrations.at(-1)])].join(' to ');
  const reason =
    `the database was made by an earlier development version of Gigvault, with ${count} that this version does not ` +
    `have (${range}), and cannot be upgraded`;
  return { reason, remedy: NEW_DATABASE, isOlder: true };
}

/** The causes of migrations that are newer than those of this version, and the commands for each. */
export const NEWER_SCHEMA_CURES = {
  'newer release': 'git pull && npm ci && npm start',
  'removed files': 'put them back, npm start, npm run migrate:revert for each, and remove them again',
} as const;

function describeNewerSchema(migrations: readonly string[]): UnknownSchema {
  const reason =
    `the database has migrations that this version does not have: ${migrations.join(', ')}. ` +
    'A newer release ran them, or their files were removed here';
  const remedy =
    `start that release; or, after removed files, ${NEWER_SCHEMA_CURES['removed files']}; ` +
    'or restore a backup that was made before';
  return { reason, remedy, isOlder: false };
}

/** Parses the time at the end of a migration's name. */
function parseTime(name: string): number {
  return Number(/\d{13}$/.exec(name)?.[0]);
}

async function appliedMigrations(query: CatalogQuery): Promise<string[]> {
  const [table] = await query(`SELECT to_regclass('public.${MIGRATIONS_TABLE}') IS NOT NULL AS there`);
  const done = table?.there ? await query(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY timestamp, id`) : [];
  return done.map(({ name }) => String(name));
}

/** Returns a sentence for each migration that has not run; by default those of this build. */
export async function pendingMigrations(
  query: CatalogQuery,
  wanted: readonly string[] = migrationNames(),
): Promise<string[]> {
  const done = new Set(await appliedMigrations(query));
  return wanted.filter((name) => !done.has(name)).map((name) => `migration ${name} has not run: npm run migrate`);
}
