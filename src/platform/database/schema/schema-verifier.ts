import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../../config/config';
import { assertNamedStatements } from '../driver/statement-names';
import { findContextProblems, type ParameterizedQuery } from './context-check';
import { migrationNames, MIGRATIONS_TABLE } from './migrations';

/** The application's tables. TypeORM's list of migrations contains no user data. */
const TABLES = `
  SELECT c.oid, c.relname, c.relnamespace::regnamespace::text AS schema, c.relkind, c.relispartition,
         c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relowner,
         c.relnamespace::regnamespace || '.' || quote_ident(c.relname) AS name
  FROM pg_class c
  WHERE c.relnamespace::regnamespace::text IN ('public', 'app', 'audit', 'auth', 'secrets')
    AND c.relkind IN ('r', 'p')
    AND c.relname <> 'schema_migrations'
    AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** The backup login reads everything, past the policies. */
const IS_BACKUP = `(g.grantee <> 0 AND g.grantee::regrole::text = 'gigvault_backup' AND g.privilege_type = 'SELECT')`;

/** The grants on tables and their columns, without the owner's own rights and those of IS_BACKUP. */
const GRANTS = `
  SELECT t.name, t.oid, g.grantee, g.privilege_type
  FROM tables t, aclexplode(t.relacl) g WHERE g.grantee <> t.relowner AND NOT ${IS_BACKUP}
  UNION
  SELECT t.name, t.oid, g.grantee, g.privilege_type
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid, aclexplode(a.attacl) g WHERE g.grantee <> t.relowner`;

const WITH = `WITH tables AS (${TABLES}), grants AS (${GRANTS})`;

const ROLE_CHECKS = [
  `SELECT format('the server signs in as %s, which may pass row security: '
     'give DATABASE_URL the login gigvault_app', current_user) AS problem
   FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)`,
  `SELECT format('role %s may pass row security: ALTER ROLE %1$s NOSUPERUSER NOBYPASSRLS', rolname) AS problem
   FROM pg_roles
   WHERE (rolsuper OR rolbypassrls) AND rolname <> current_user
     AND rolname LIKE 'gigvault\\_%' AND rolname <> 'gigvault_backup'`,
  `SELECT format('%s is owned by %s, a login of the server: '
     'run docker/postgres/bootstrap.sql and the migrations as they are',
     c.oid::regclass, c.relowner::regrole) AS problem
   FROM pg_class c
   WHERE c.relowner::regrole::text =
           ANY ('{gigvault_app,gigvault_auth,gigvault_worker,gigvault_admin,gigvault_monitor}')
      OR c.relowner = (SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user AND NOT r.rolsuper)`,
  `SELECT format('role %s is a member of %s: REVOKE %2$s FROM %1$s', m.member::regrole, m.roleid::regrole) AS problem
   FROM pg_auth_members m
   WHERE m.member::regrole::text = ANY ('{gigvault_app,gigvault_auth,gigvault_worker,gigvault_admin,gigvault_backup}')`,
  `SELECT format('%s may create objects in schema %s, so it could watch rows pass in tenant_jobs: '
     'REVOKE CREATE ON SCHEMA %2$s FROM %1$s, PUBLIC', current_user, nspname) AS problem
   FROM pg_namespace WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')`,
  `SELECT format('%s may create temporary objects, so it could watch rows pass in tenant_jobs: '
     'run docker/postgres/bootstrap.sql', current_user) AS problem
   WHERE has_database_privilege(current_database(), 'TEMPORARY')`,
];

const TABLE_CHECKS = [
  `${WITH} SELECT format('table %s: row security is %s: ALTER TABLE %1$s %3$s ROW LEVEL SECURITY', name,
     CASE WHEN relrowsecurity THEN 'not forced' ELSE 'off' END,
     CASE WHEN relrowsecurity THEN 'FORCE' ELSE 'ENABLE' END) AS problem
   FROM tables WHERE NOT relrowsecurity OR NOT relforcerowsecurity`,
  // For a role other than gigvault_app, a policy for all roles counts only if it hides no rows.
  `${WITH} SELECT DISTINCT format('table %s: %s may %s but no policy says which rows: '
     'restore the policy or revoke the grant', g.name, g.grantee::regrole, g.privilege_type) AS problem
   FROM grants g
   WHERE g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') AND g.grantee <> 0
     AND NOT EXISTS (
       SELECT FROM pg_policy p
       WHERE p.polrelid = g.oid AND p.polpermissive
         AND p.polcmd IN ('*', CASE g.privilege_type
           WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END)
         AND (g.grantee = ANY (p.polroles)
           OR p.polroles = '{0}'
             AND (g.grantee::regrole::text = 'gigvault_app' OR pg_get_expr(p.polqual, p.polrelid) = 'true')))`,
  `${WITH} SELECT format('table %s: a partition without a policy: '
     'SELECT app.secure_partition(…) makes it', name) AS problem
   FROM tables t WHERE t.relispartition AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid)`,
  `${WITH} SELECT format('table %s: nothing lets gigvault_owner empty this default partition: '
     'restore its policies %s_drain_select and _drain_delete', name, relname) AS problem
   FROM tables t
   WHERE t.relispartition AND t.relname LIKE '%\\_default'
     AND 2 <> (
       SELECT count(*) FROM pg_policy p
       WHERE p.polrelid = t.oid AND p.polcmd IN ('r', 'd') AND 'gigvault_owner'::regrole = ANY (p.polroles))`,
  `${WITH} SELECT format('table %s: policy %s shows rows of other tenants: '
     'it must compare with the tenant of auth.context', t.name, p.polname) AS problem
   FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
   WHERE (t.relname = 'users' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'user_id'))
     AND p.polpermissive AND (0 = ANY (p.polroles) OR 'gigvault_app'::regrole = ANY (p.polroles))
     AND (coalesce(pg_get_expr(p.polqual, p.polrelid), 'context.tenant') !~ '\\mcontext\\.tenant\\M'
       OR coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'context.tenant') !~ '\\mcontext\\.tenant\\M')`,
  `${WITH} SELECT DISTINCT format('table %s: %s has %s: REVOKE it', name,
     CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type) AS problem
   FROM grants WHERE grantee = 0 OR privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
  `${WITH} SELECT DISTINCT format('table %s: %s may name the partition itself, which skips its parent''s policies: '
     'REVOKE ALL ON %1$s FROM %2$s', g.name, g.grantee::regrole) AS problem
   FROM grants g JOIN tables t USING (oid) WHERE t.relispartition AND g.grantee <> 0`,
  `${WITH} SELECT format('table %s: audit trigger %s is missing or disabled: '
     'SELECT audit.enable_partition(…) makes it, ENABLE TRIGGER wakes it', t.name, wanted) AS problem
   FROM tables t
   LEFT JOIN pg_inherits i ON i.inhrelid = t.oid
   JOIN audit.audited_tables a
     ON t.schema = 'public' AND format('public.%I', a.table_name)::regclass IN (t.oid, i.inhparent)
   CROSS JOIN unnest('{audit_insert,audit_update,audit_delete,audit_truncate}'::text[]) AS wanted
   WHERE NOT EXISTS (
     SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgname = wanted AND g.tgenabled IN ('O', 'A'))`,
];

const OTHER_CHECKS = [
  `SELECT format('function %s runs with the rights of %s but has no fixed search_path: '
     'ALTER FUNCTION %1$s SET search_path = pg_catalog', p.oid::regprocedure, p.proowner::regrole) AS problem
   FROM pg_proc p
   WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN ('public', 'app', 'audit', 'auth')
     AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\\_path=%')`,
  `SELECT format('function %s may be called by PUBLIC: '
     'REVOKE EXECUTE ON FUNCTION %1$s FROM PUBLIC', p.oid::regprocedure) AS problem
   FROM pg_proc p
   WHERE p.pronamespace::regnamespace::text IN ('public', 'app', 'audit', 'auth')
     AND NOT EXISTS (
       SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
     AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0)`,
  `SELECT DISTINCT format('table %s lies in a schema that no check looks at, but %s may use it: '
     'make it in schema public', c.oid::regclass,
     CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END) AS problem
   FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
   WHERE c.relkind IN ('r', 'p')
     AND c.relnamespace::regnamespace::text !~ '^(pg_.*|information_schema|public|app|audit|auth|secrets)$'
     AND NOT ${IS_BACKUP}
     AND (g.grantee = 0 OR r.rolname LIKE 'gigvault\\_%' AND g.grantee <> c.relowner)`,
  `SELECT format('materialized view %s has no row security but %s may read it: '
     'REVOKE SELECT ON %1$s FROM %2$s', c.oid::regclass,
     CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END) AS problem
   FROM pg_class c, aclexplode(c.relacl) g WHERE c.relkind = 'm' AND g.grantee <> c.relowner AND NOT ${IS_BACKUP}`,
  // Materialized, because pg_get_viewdef of every view of the catalog would take most of the checks' time.
  `WITH views AS MATERIALIZED (
     SELECT c.oid FROM pg_class c
     WHERE c.relkind = 'v' AND c.relnamespace::regnamespace::text IN ('public', 'app', 'audit', 'auth')
       AND has_table_privilege('gigvault_app', c.oid, 'SELECT')
       AND NOT EXISTS (
         SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
   SELECT format('view %s shows rows past row security: it must compare with auth.context', oid::regclass) AS problem
   FROM views WHERE oid <> 'auth.context'::regclass AND pg_get_viewdef(oid) !~ '\\mauth\\.context\\M'`,
];

/** Queries that return one row `problem` per defect of tenant isolation or audit. Any login may run them. */
const SCHEMA_CHECKS: readonly string[] = [...ROLE_CHECKS, ...TABLE_CHECKS, ...OTHER_CHECKS];

/** Finds times without a partition. Their rows go to the default partition, so the server may start. */
const PARTITION_WARNINGS = `
  SELECT format('table %s has no partition for this moment: run the task create-partitions; '
    'until then its rows go to %1$s_default', table_name) AS warning
  FROM app.partition_coverage() WHERE covered_until <= now()`;

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
  if (unknown !== undefined) return [unknown.reason];
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
  return (await query(PARTITION_WARNINGS)).map((row) => String(row.warning));
}

/** The reason why this version cannot use a database: it contains migrations this version does not have. */
export interface UnknownSchema {
  /** The state of the database and the remedy. */
  readonly reason: string;
  /** True for a database from before the first release. Its migrations were replaced, so it cannot be upgraded. */
  readonly isOlder: boolean;
}

/**
 * Finds migrations in the database that this version does not have.
 * @param known the migrations of this version
 * @returns undefined when there are none
 */
export async function unknownSchema(
  query: CatalogQuery,
  known: readonly string[] = migrationNames(),
): Promise<UnknownSchema | undefined> {
  const unknown = (await appliedMigrations(query)).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  const earliest = Math.min(...known.map(parseTime));
  const older = unknown.filter((name) => parseTime(name) < earliest);
  return older.length > 0 ? olderSchema(older) : findNewerSchema(unknown);
}

function olderSchema(migrations: readonly string[]): UnknownSchema {
  const count = migrations.length === 1 ? '1 migration' : `${migrations.length} migrations`;
  const range = [...new Set([migrations[0], migrations.at(-1)])].join(' to ');
  const reason =
    `the database was made by an earlier development version of Gigvault, with ${count} that this version does not ` +
    `have (${range}), and cannot be upgraded: use a new database, or drop this one and create it again`;
  return { reason, isOlder: true };
}

function findNewerSchema(migrations: readonly string[]): UnknownSchema {
  const reason =
    `the database was migrated by a newer release of Gigvault, with ${migrations.join(', ')}: ` +
    'start that release, or restore a backup that was made before';
  return { reason, isOlder: false };
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

async function pendingMigrations(query: CatalogQuery, wanted: readonly string[]): Promise<string[]> {
  const done = new Set(await appliedMigrations(query));
  return wanted.filter((name) => !done.has(name)).map((name) => `migration ${name} has not run: npm run migrate`);
}

/** Prevents API and worker from starting on a database that does not isolate tenants. */
@Injectable()
export class SchemaVerifier implements OnModuleInit {
  private readonly logger = new Logger(SchemaVerifier.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {}

  /** @throws Error with all problems and their remedies */
  async onModuleInit(): Promise<void> {
    if (this.config.database.preparedStatements) await assertNamedStatements(this.config);
    const query: ParameterizedQuery & CatalogQuery = (sql, values?: unknown[]) =>
      this.dataSource.query<Record<string, unknown>[]>(sql, values);
    const problems = await findSchemaProblems(query);
    // Without the migrations there is no view to ask.
    if (problems.length === 0) problems.push(...(await findContextProblems(query, this.config.contextKey)));
    if (problems.length > 0) {
      throw new Error(`The database is not in order:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    }
    for (const warning of await findSchemaWarnings(query)) this.logger.warn(warning);
  }
}
