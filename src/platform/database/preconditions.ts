import { CATALOG_CHECKS, PARTITION_WARNINGS } from './catalog-checks';
import { MIGRATIONS_TABLE, migrationNames } from './migrations';

/** Runs one statement and returns its rows, as whoever asks. */
export type CatalogQuery = (sql: string) => Promise<Record<string, unknown>[]>;

/**
 * Returns what would break the isolation of tenants or the audit in this database, one sentence each, naming the object
 * and what to do; empty when the server may start. Needs no rights beyond those of gigvault_app and no transaction.
 * @param migrations the migrations that must have run; those of this build unless told otherwise
 */
export async function checkCatalog(
  query: CatalogQuery,
  migrations: readonly string[] = migrationNames(),
): Promise<string[]> {
  const newer = await newerSchema(query, migrations);
  if (newer !== undefined) return [newer];
  const pending = await pendingMigrations(query, migrations);
  // A schema of another build would only repeat, in many sentences, that its migrations have not run.
  if (pending.length > 0) return pending;
  const problems: string[] = [];
  for (const check of CATALOG_CHECKS) {
    problems.push(...(await query(check)).map((row) => String(row.problem)));
  }
  return problems;
}

/** Returns what should be mended soon but does not keep the server from starting, one sentence each. */
export async function catalogWarnings(query: CatalogQuery): Promise<string[]> {
  return (await query(PARTITION_WARNINGS)).map((row) => String(row.warning));
}

/**
 * Returns one sentence for a database that a newer release has migrated, undefined for any other. This release neither
 * knows what that migration changed nor what has to hold now.
 * @param known the migrations of this release
 */
export async function newerSchema(
  query: CatalogQuery,
  known: readonly string[] = migrationNames(),
): Promise<string | undefined> {
  const unknown = (await doneMigrations(query)).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return (
    `the database was migrated by a newer release of Gigvault, with ${unknown.join(', ')}: ` +
    'start that release, or restore a backup that was made before'
  );
}

async function doneMigrations(query: CatalogQuery): Promise<string[]> {
  const [table] = await query(`SELECT to_regclass('public.${MIGRATIONS_TABLE}') IS NOT NULL AS there`);
  const done = table?.there ? await query(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY name`) : [];
  return done.map(({ name }) => String(name));
}

async function pendingMigrations(query: CatalogQuery, wanted: readonly string[]): Promise<string[]> {
  const done = new Set(await doneMigrations(query));
  return wanted.filter((name) => !done.has(name)).map((name) => `migration ${name} has not run: npm run migrate`);
}
