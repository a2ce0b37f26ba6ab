import type { DirectConnection } from '../platform/database/direct-connection';
import type { TableState } from './manifest';

/** Rows are compared as text, which must not depend on a server's settings. */
const SAME_TEXT = `SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
  SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmlbinary = 'base64'; SET LOCAL search_path = pg_catalog`;

/** Everything but PostgreSQL's own, and what extensions bring along. */
const OURS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/**
 * For each table a statement that counts its rows and adds up hashes: of the rows of the users in $1, or of all where rows
 * belong to nobody. A sum does not depend on an order, and a row that is there twice counts twice.
 */
const TABLES = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format($format$SELECT count(*) AS rows, coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) FILTER (WHERE %s), 0)::text AS sample FROM ONLY %I.%I t$format$,
      CASE WHEN tenant.attname IS NULL THEN '$1::bigint[] IS NOT NULL' ELSE format('t.%I = ANY ($1::bigint[])', tenant.attname) END, n.nspname, c.relname) AS statement
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute tenant ON tenant.attrelid = c.oid AND NOT tenant.attisdropped
    AND tenant.attname = CASE WHEN n.nspname = 'public' AND c.relname = 'users' THEN 'id' ELSE 'user_id' END
  WHERE c.relkind = 'r' AND ${OURS} ORDER BY 1`;

const OBJECTS = `
  SELECT kind, count(*) AS count FROM (
    SELECT CASE c.relkind WHEN 'i' THEN 'indexes' WHEN 'I' THEN 'indexes' WHEN 'v' THEN 'views' WHEN 'S' THEN 'sequences'
      WHEN 'm' THEN CASE WHEN c.relispopulated THEN 'filled materialized views' ELSE 'empty materialized views' END ELSE 'tables' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'i', 'I', 'v', 'm', 'S') AND ${OURS}
    UNION ALL SELECT 'policies' FROM pg_policy
    UNION ALL SELECT 'tables with forced row security' FROM pg_class WHERE relrowsecurity AND relforcerowsecurity
    UNION ALL SELECT 'triggers' FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'constraints' FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL SELECT 'functions' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  ) AS objects GROUP BY kind ORDER BY kind`;

const MIGRATIONS = `SELECT name FROM public.schema_migrations ORDER BY id`;

/** What two copies of one database have in common. */
export interface DatabaseState {
  readonly migrations: string[];
  readonly tables: Record<string, TableState>;
  readonly objects: Record<string, number>;
}

/**
 * Reads what a copy of the database must have as well.
 * @param connection of a login that sees all rows, in a transaction
 * @param sampledUsers the tenants whose rows are hashed one by one
 */
export async function readDatabaseState(
  connection: DirectConnection,
  sampledUsers: readonly number[],
): Promise<DatabaseState> {
  await connection.query(SAME_TEXT);
  const tables: Record<string, TableState> = {};
  for (const { name, statement } of await connection.query<{ name: string; statement: string }>(TABLES)) {
    const [state] = await connection.query<TableState>(statement, [sampledUsers]);
    if (state) tables[name] = state;
  }
  const objects = await connection.query<{ kind: string; count: number }>(OBJECTS);
  // A database that was never migrated, or restored from nothing, has no list of migrations.
  const migrations = 'public.schema_migrations' in tables ? await connection.query<{ name: string }>(MIGRATIONS) : [];
  return {
    migrations: migrations.map(({ name }) => name),
    tables,
    objects: Object.fromEntries(objects.map(({ kind, count }) => [kind, count])),
  };
}

/** Says how a copy differs from what it should be, one sentence for each difference; empty when it does not. */
export function differences(expected: DatabaseState, found: DatabaseState): string[] {
  const list = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none');
  const missing = expected.migrations.filter((name) => !found.migrations.includes(name));
  const extra = found.migrations.filter((name) => !expected.migrations.includes(name));
  return [
    ...(missing.length + extra.length > 0 ? [`migrations: ${list(missing)} missing, ${list(extra)} too many`] : []),
    ...Object.keys(expected.tables).flatMap((name) =>
      tableDifference(name, expected.tables[name]!, found.tables[name]),
    ),
    ...Object.keys(found.tables)
      .filter((name) => !(name in expected.tables))
      .map((name) => `table ${name} should not be there`),
    ...[...new Set([...Object.keys(expected.objects), ...Object.keys(found.objects)])].flatMap((kind) => {
      const [wanted, there] = [expected.objects[kind] ?? 0, found.objects[kind] ?? 0];
      return wanted === there ? [] : [`${kind}: ${there} of ${wanted}`];
    }),
  ];
}

function tableDifference(name: string, expected: TableState, found: TableState | undefined): string[] {
  if (!found) return [`table ${name} is missing`];
  if (found.rows !== expected.rows) return [`table ${name}: ${found.rows} of ${expected.rows} rows`];
  return found.sample === expected.sample ? [] : [`table ${name}: the rows that were compared one by one differ`];
}
