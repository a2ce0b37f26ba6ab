import { z } from 'zod';
import type { DirectConnection } from '../../platform/database/driver/direct-connection';

const tableStateSchema = z.object({
  /** Rows of the table itself; a partitioned one has none, each of its partitions is listed. */
  rows: z.int().min(0),
  /** Sum of the hashes of the sampled tenants' rows, or of all rows where rows belong to nobody. */
  sample: z.string(),
});

/** What the database held at the instant of the dump, read in the dump's own snapshot. */
export const manifestSchema = z.object({
  version: z.literal(1),
  takenAt: z.iso.datetime(),
  /** Of PostgreSQL. */
  serverVersion: z.string(),
  role: z.object({ name: z.string(), seesAllRows: z.boolean() }),
  /** Those that had run, in their order. */
  migrations: z.array(z.string()),
  /** Those that wrap the data keys inside: they are needed to open secrets after a restore. */
  masterKeys: z.array(z.string()),
  /** The tenants whose rows are compared one by one. */
  sampledUsers: z.array(z.int()),
  tables: z.record(z.string(), tableStateSchema),
  /** How many policies, triggers, indexes, constraints, functions, views there are. */
  objects: z.record(z.string(), z.int()),
  /** Of the row of backups that the dump itself holds. */
  backupId: z.int(),
  /** SHA-256 of the text sealed in that row, in hex. */
  canaryHash: z.string(),
  /** Users who were erased, as long as the security log tells: an older backup still holds them. */
  erased: z.array(z.object({ userId: z.int(), at: z.iso.datetime() })),
});

/** What the database held at the instant of the dump. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** The rows of one table, as the manifest has them. */
export type TableState = z.infer<typeof tableStateSchema>;

/** Everything in all tables. */
export function countRows({ tables }: Pick<Manifest, 'tables'>): number {
  return Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);
}

/** Rows are compared as text, which must not depend on a server's settings. */
const TEXT_FORMAT_SETTINGS = `SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
  SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmlbinary = 'base64'; SET LOCAL search_path = pg_catalog`;

/** Everything but PostgreSQL's own, and what extensions bring along. */
const OWN_OBJECTS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/**
 * For each table a statement that counts its rows and adds up hashes: of the rows of the users in $1, or of all where rows
 * belong to nobody. A sum does not depend on an order, and a row that is there twice counts twice.
 */
const TABLE_STATEMENTS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format($format$SELECT count(*) AS rows, coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) FILTER (WHERE %s), 0)::text AS sample FROM ONLY %I.%I t$format$,
      CASE WHEN tenant.attname IS NULL THEN '$1::bigint[] IS NOT NULL' ELSE format('t.%I = ANY ($1::bigint[])', tenant.attname) END, n.nspname, c.relname) AS statement
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute tenant ON tenant.attrelid = c.oid AND NOT tenant.attisdropped
    AND tenant.attname = CASE WHEN n.nspname = 'public' AND c.relname = 'users' THEN 'id' ELSE 'user_id' END
  WHERE c.relkind = 'r' AND ${OWN_OBJECTS} ORDER BY 1`;

const OBJECT_COUNTS = `
  SELECT kind, count(*) AS count FROM (
    SELECT CASE c.relkind WHEN 'i' THEN 'indexes' WHEN 'I' THEN 'indexes' WHEN 'v' THEN 'views' WHEN 'S' THEN 'sequences'
      WHEN 'm' THEN CASE WHEN c.relispopulated THEN 'filled materialized views' ELSE 'empty materialized views' END ELSE 'tables' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'i', 'I', 'v', 'm', 'S') AND ${OWN_OBJECTS}
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
  await connection.query(TEXT_FORMAT_SETTINGS);
  const tables: Record<string, TableState> = {};
  for (const { name, statement } of await connection.query<{ name: string; statement: string }>(TABLE_STATEMENTS)) {
    const [state] = await connection.query<TableState>(statement, [sampledUsers]);
    if (state) tables[name] = state;
  }
  const objects = await connection.query<{ kind: string; count: number }>(OBJECT_COUNTS);
  // A database that was never migrated, or restored from nothing, has no list of migrations.
  const migrations = 'public.schema_migrations' in tables ? await connection.query<{ name: string }>(MIGRATIONS) : [];
  return {
    migrations: migrations.map(({ name }) => name),
    tables,
    objects: Object.fromEntries(objects.map(({ kind, count }) => [kind, count])),
  };
}

/** Says how a copy differs from what it should be, one sentence for each difference; empty when it does not. */
export function findDifferences(expected: DatabaseState, found: DatabaseState): string[] {
  const list = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none');
  const missing = expected.migrations.filter((name) => !found.migrations.includes(name));
  const extra = found.migrations.filter((name) => !expected.migrations.includes(name));
  return [
    ...(missing.length + extra.length > 0 ? [`migrations: ${list(missing)} missing, ${list(extra)} too many`] : []),
    ...Object.keys(expected.tables).flatMap((name) =>
      findTableDifferences(name, expected.tables[name]!, found.tables[name]),
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

function findTableDifferences(name: string, expected: TableState, found: TableState | undefined): string[] {
  if (!found) return [`table ${name} is missing`];
  if (found.rows !== expected.rows) return [`table ${name}: ${found.rows} of ${expected.rows} rows`];
  return found.sample === expected.sample ? [] : [`table ${name}: the rows that were compared one by one differ`];
}
