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

async function pendingMigrations(query: CatalogQuery, wanted: readonly string[]): Promise<string[]> {
  const [table] = await query(`SELECT to_regclass('public.${MIGRATIONS_TABLE}') IS NOT NULL AS there`);
  const done = table?.there ? await query(`SELECT name FROM ${MIGRATIONS_TABLE}`) : [];
  const names = new Set(done.map((row) => row.name));
  return wanted.filter((name) => !names.has(name)).map((name) => `migration ${name} has not run: npm run migrate`);
}
