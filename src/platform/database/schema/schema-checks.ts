import { LOGIN_CHECKS } from './login-checks';

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
  `SELECT format('%s may create objects in schema %s, and other logins could call a function of its own: '
     'REVOKE CREATE ON SCHEMA %2$s FROM %1$s, PUBLIC', current_user, nspname) AS problem
   FROM pg_namespace WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')`,
  `SELECT format('%s may create temporary objects, and its next transactions could call a function left there: '
     'run docker/postgres/bootstrap.sql', current_user) AS problem
   WHERE has_database_privilege(current_database(), 'TEMPORARY')`,
];

/** Queries that read `tables` and `grants`. */
const TABLE_CHECKS = [
  `SELECT format('table %s: row security is %s: ALTER TABLE %1$s %3$s ROW LEVEL SECURITY', name,
     CASE WHEN relrowsecurity THEN 'not forced' ELSE 'off' END,
     CASE WHEN relrowsecurity THEN 'FORCE' ELSE 'ENABLE' END) AS problem
   FROM tables WHERE NOT relrowsecurity OR NOT relforcerowsecurity`,
  // For a role other than gigvault_app, a policy for all roles counts only if it hides no rows.
  `SELECT DISTINCT format('table %s: %s may %s but no policy says which rows: '
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
  `SELECT format('table %s: a partition without a policy: '
     'SELECT app.secure_partition(…) makes it', name) AS problem
   FROM tables t WHERE t.relispartition AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid)`,
  `SELECT format('table %s: nothing lets gigvault_owner empty this default partition: '
     'restore its policies %s_drain_select and _drain_delete', name, relname) AS problem
   FROM tables t
   WHERE t.relispartition AND t.relname LIKE '%\\_default'
     AND 2 <> (
       SELECT count(*) FROM pg_policy p
       WHERE p.polrelid = t.oid AND p.polcmd IN ('r', 'd') AND 'gigvault_owner'::regrole = ANY (p.polroles))`,
  `SELECT format('table %s: policy %s shows rows of other tenants: '
     'it must compare with the tenant of auth.context', t.name, p.polname) AS problem
   FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
   WHERE (t.relname = 'users' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'user_id'))
     AND p.polpermissive AND (0 = ANY (p.polroles) OR 'gigvault_app'::regrole = ANY (p.polroles))
     AND (coalesce(pg_get_expr(p.polqual, p.polrelid), 'context.tenant') !~ '\\mcontext\\.tenant\\M'
       OR coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'context.tenant') !~ '\\mcontext\\.tenant\\M')`,
  // The audit writes a row for every session. gigvault_owner empties default partitions.
  `SELECT format('table %s: policy %s asks for no signature: '
     'it must contain EXISTS (SELECT FROM auth.signed_session)', t.name, p.polname) AS problem
   FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
   WHERE t.schema = 'public'
     AND p.polpermissive AND NOT (0 = ANY (p.polroles) OR 'gigvault_app'::regrole = ANY (p.polroles))
     AND p.polroles <> ARRAY['gigvault_owner'::regrole]::oid[]
     AND NOT (p.polcmd = 'a' AND p.polroles = ARRAY['gigvault_auditor'::regrole]::oid[])
     AND coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
       !~ '\\mauth\\.signed_session\\M'`,
  `SELECT DISTINCT format('table %s: %s has %s: REVOKE it', name,
     CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type) AS problem
   FROM grants WHERE grantee = 0 OR privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
  `SELECT DISTINCT format('table %s: %s may name the partition itself, which skips its parent''s policies: '
     'REVOKE ALL ON %1$s FROM %2$s', g.name, g.grantee::regrole) AS problem
   FROM grants g JOIN tables t USING (oid) WHERE t.relispartition AND g.grantee <> 0`,
  `SELECT format('table %s: audit trigger %s is missing or disabled: '
     'SELECT audit.enable_partition(…) makes it, ENABLE TRIGGER enables it', t.name, wanted) AS problem
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
export const SCHEMA_CHECKS: readonly string[] = [
  ...ROLE_CHECKS,
  ...LOGIN_CHECKS,
  // One query, because listing the tables takes most of its time.
  `${WITH} ${TABLE_CHECKS.join(' UNION ALL ')}`,
  ...OTHER_CHECKS,
];

/** Finds operators of lists that may not use an index under row security. Lists are slow and still correct. */
const LEAKPROOF_WARNINGS = `
  SELECT format('lists and searches of jobs use no index, because %s is not leakproof: '
    'run docker/postgres/bootstrap.sql', p.oid::regprocedure) AS warning
  FROM pg_proc p
  WHERE NOT p.proleakproof AND p.oid = ANY (ARRAY[
    'arraycontains(anyarray, anyarray)', 'arrayoverlap(anyarray, anyarray)', 'ts_match_vq(tsvector, tsquery)',
    'numeric_ge(numeric, numeric)', 'numeric_gt(numeric, numeric)', 'numeric_le(numeric, numeric)',
    'numeric_lt(numeric, numeric)'
  ]::regprocedure[])`;

/** Finds times without a partition. Their rows go to the default partition, so the server may start. */
const PARTITION_WARNINGS = `
  SELECT format('table %s has no partition for this moment: run the task create-partitions; '
    'until then its rows go to %1$s_default', table_name) AS warning
  FROM app.partition_coverage() WHERE covered_until <= now()`;

/** Queries that return one row `warning` per defect that does not prevent the start. */
export const WARNING_CHECKS: readonly string[] = [PARTITION_WARNINGS, LEAKPROOF_WARNINGS];
