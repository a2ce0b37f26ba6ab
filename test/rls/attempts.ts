/** A login that an attacker may hold. */
export type Login = 'app' | 'auth' | 'worker' | 'admin' | 'monitor' | 'backup';

export const LOGINS: readonly Login[] = ['app', 'auth', 'worker', 'admin', 'monitor', 'backup'];

/** The context a session sets before its statements. `other` is signed with the key of another login. */
export type Signature = 'none' | 'other' | 'moved' | 'cut' | 'unsigned' | 'expired' | 'early' | 'own' | 'bob';

/**
 * The outcome: an SQLSTATE; `none`, when the last statement returns no row; `clean`, when rows without tenants' values
 * are allowed; `all`, when values of all tenants are shown. No other attempt may show a value of a tenant.
 */
export interface Attempt {
  readonly name: string;
  readonly sql: string | readonly string[];
  readonly expected: string;
  /** The outcome of one login that differs. */
  readonly expectedOf?: Partial<Record<Login, string>>;
  readonly signature?: Signature;
}

/**
 * gigvault_backup differs from the other logins: a dump needs all rows of all tenants, so it has BYPASSRLS and SELECT
 * on each table. Its attempts prove that it has nothing else: no key of schema secrets, no password, no file, no write,
 * and no function of others, so it does not read views.
 */
const READS_ALL = { backup: 'all' };

/** Returns all rows of every relation the login may read, as XML: functions read on its behalf. */
const ALL_RELATIONS = `
  SELECT query_to_xml(format('SELECT * FROM %s', c.oid::regclass), true, false, '') AS rows
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname IN ('public', 'app', 'audit', 'auth') AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    AND (c.relkind <> 'v' OR current_user <> 'gigvault_backup')`;

const EACH_COLUMN = `
  SELECT query_to_xml(format('SELECT %I FROM %s', a.attname, c.oid::regclass), true, false, '') AS rows
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE n.nspname IN ('public', 'app', 'audit', 'auth') AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0
    AND NOT a.attisdropped AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
    AND (c.relkind <> 'v' OR current_user <> 'gigvault_backup')`;

const DYNAMIC = `
  DO $do$
  DECLARE r record; found text;
  BEGIN
    FOR r IN SELECT c.oid::regclass AS name FROM pg_class c
      WHERE c.relnamespace::regnamespace::text = 'public' AND c.relkind IN ('r', 'p')
        AND has_table_privilege(c.oid, 'SELECT') LOOP
      EXECUTE format('SELECT string_agg(t::text, '','') FROM %s t', r.name) INTO found;
      RAISE NOTICE '% %', r.name, found;
    END LOOP;
  END $do$`;

const CURSOR = [
  'BEGIN',
  `DECLARE c CURSOR WITH HOLD FOR ${ALL_RELATIONS}`,
  'COMMIT',
  'FETCH ALL FROM c',
  'SELECT statement FROM pg_cursors',
];

/** gigvault_monitor may not use schema auth, gigvault_backup not the functions of its views. */
const NO_CONTEXT = { monitor: '42501', backup: '42501' };

/** What each login tries. */
export const ATTEMPTS: readonly Attempt[] = [
  { name: 'all relations without a context', sql: ALL_RELATIONS, expected: 'clean', expectedOf: READS_ALL },
  {
    name: 'all relations with a key of another login',
    sql: ALL_RELATIONS,
    expected: 'clean',
    signature: 'other',
    expectedOf: READS_ALL,
  },
  {
    name: 'all relations with a context of another tenant',
    sql: ALL_RELATIONS,
    expected: 'clean',
    signature: 'moved',
    expectedOf: READS_ALL,
  },
  {
    name: 'all relations with half a signature',
    sql: ALL_RELATIONS,
    expected: 'clean',
    signature: 'cut',
    expectedOf: READS_ALL,
  },
  {
    name: 'all relations with a body alone',
    sql: ALL_RELATIONS,
    expected: 'clean',
    signature: 'unsigned',
    expectedOf: READS_ALL,
  },
  {
    name: 'an expired context',
    sql: 'SELECT * FROM auth.context',
    expected: 'GV001',
    signature: 'expired',
    expectedOf: NO_CONTEXT,
  },
  {
    name: 'a context of the future',
    sql: 'SELECT * FROM auth.context',
    expected: 'GV001',
    signature: 'early',
    expectedOf: NO_CONTEXT,
  },
  { name: 'each column', sql: EACH_COLUMN, expected: 'clean', expectedOf: READS_ALL },
  { name: 'a block with dynamic SQL', sql: DYNAMIC, expected: 'clean', expectedOf: READS_ALL },
  { name: 'a cursor that outlives its transaction', sql: CURSOR, expected: 'clean', expectedOf: READS_ALL },
  {
    name: 'a prepared statement',
    sql: [`PREPARE p AS ${ALL_RELATIONS}`, 'EXECUTE p'],
    expected: 'clean',
    expectedOf: READS_ALL,
  },
  { name: 'COPY of all', sql: `COPY (${ALL_RELATIONS}) TO STDOUT`, expected: 'clean', expectedOf: READS_ALL },
  {
    name: 'the former setting',
    sql: [`SET app.user_id = '$bob'`, ALL_RELATIONS],
    expected: 'clean',
    expectedOf: READS_ALL,
  },
  {
    name: 'a setting of the session',
    sql: [`SET app.context = '1700000000'`, ALL_RELATIONS],
    expected: 'clean',
    expectedOf: READS_ALL,
  },
  {
    name: 'a search path',
    sql: ['SET search_path = pg_temp, auth, public', ALL_RELATIONS],
    expected: 'clean',
    expectedOf: READS_ALL,
  },
  { name: 'the role of the functions', sql: 'SET ROLE gigvault_definer', expected: '42501' },
  { name: 'the role of the tables', sql: 'SET ROLE gigvault_owner', expected: '42501' },
  { name: 'the role of the audit', sql: `SELECT set_config('role', 'gigvault_auditor', false)`, expected: '42501' },
  { name: 'the role that reads all', sql: 'SET ROLE pg_read_all_data', expected: '42501' },
  { name: 'the role of backups', sql: 'SET ROLE gigvault_backup', expected: '42501', expectedOf: { backup: 'none' } },
  { name: 'the session of the functions', sql: 'SET SESSION AUTHORIZATION gigvault_definer', expected: '42501' },
  { name: 'the session of the superuser', sql: 'SET SESSION AUTHORIZATION postgres', expected: '42501' },
  {
    name: 'the session of another login',
    sql: 'SET SESSION AUTHORIZATION gigvault_backup',
    expected: '42501',
    expectedOf: { backup: 'none' },
  },
  { name: 'a replica', sql: 'SET session_replication_role = replica', expected: '42501' },
  { name: 'the keys', sql: 'SELECT * FROM secrets.context_keys', expected: '42501' },
  { name: 'a copy of the keys', sql: 'COPY secrets.context_keys TO STDOUT', expected: '42501' },
  { name: 'no keys', sql: 'DELETE FROM secrets.context_keys', expected: '42501' },
  {
    name: 'the keys by an expression of the row',
    sql: `SELECT row_to_json(k) FROM secrets.context_keys k`,
    expected: '42501',
  },
  { name: 'another view', sql: 'CREATE OR REPLACE VIEW auth.context AS SELECT 1 AS tenant', expected: '42501' },
  { name: 'a temporary table', sql: 'CREATE TEMP TABLE context_keys (login name)', expected: '42501' },
  { name: 'a temporary function', sql: 'CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1', expected: '42501' },
  { name: 'a function', sql: 'CREATE FUNCTION public.f() RETURNS int RETURN 1', expected: '42501' },
  { name: 'a schema', sql: 'CREATE SCHEMA evil', expected: '42501' },
  { name: 'an extension', sql: 'CREATE EXTENSION dblink', expected: '42501' },
  { name: 'an operator', sql: 'CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = int)', expected: '42501' },
  { name: 'a policy', sql: 'CREATE POLICY mine ON jobs USING (true)', expected: '42501' },
  { name: 'no policies', sql: 'ALTER TABLE jobs DISABLE ROW LEVEL SECURITY', expected: '42501' },
  { name: 'no audit', sql: 'ALTER TABLE jobs DISABLE TRIGGER audit_update', expected: '42501' },
  { name: 'a file', sql: `SELECT pg_read_file('PG_VERSION')`, expected: '42501' },
  { name: 'a folder', sql: `SELECT pg_ls_dir('.')`, expected: '42501' },
  { name: 'a copy into a file', sql: `COPY (SELECT 1) TO '/tmp/out'`, expected: '42501' },
  { name: 'a copy into a program', sql: `COPY (SELECT 1) TO PROGRAM 'cat'`, expected: '42501' },
  { name: 'a setting of the server', sql: 'ALTER SYSTEM SET log_statement = none', expected: '42501' },
  { name: 'a setting of the database', sql: 'ALTER DATABASE :name SET app.user_id = 1', expected: '42501' },
  { name: 'the passwords', sql: 'SELECT rolpassword FROM pg_authid', expected: '42501' },
  { name: 'the statistics of the planner', sql: 'SELECT * FROM pg_statistic', expected: '42501' },
  {
    name: 'the readable statistics',
    sql: `SELECT * FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    expected: 'clean',
    expectedOf: READS_ALL,
  },
  { name: 'the names of prepared statements', sql: 'SELECT * FROM pg_prepared_statements', expected: '42501' },
  {
    name: 'the plan with keys',
    sql: [
      'SET client_min_messages = log',
      'SET debug_print_plan = on',
      'SET debug_print_rewritten = on',
      'SELECT count(*) FROM auth.context',
    ],
    expected: 'clean',
    expectedOf: NO_CONTEXT,
  },
  { name: 'a large object', sql: 'SELECT lo_create(0)', expected: '42501' },
  { name: 'the pages of large objects', sql: 'SELECT * FROM pg_largeobject', expected: '42501' },
  {
    name: 'a lock of a tenant',
    sql: ['SELECT pg_advisory_lock($bob)', 'SELECT pg_advisory_unlock_all()'],
    expected: '42501',
  },
  { name: 'a lock on a table', sql: ['BEGIN', 'LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE'], expected: '42501' },
  { name: 'notifications', sql: ['LISTEN changes', `NOTIFY changes, 'x'`, 'SELECT'], expected: 'clean' },
  { name: 'the statements of others', sql: 'SELECT query FROM pg_stat_activity', expected: 'clean' },
  {
    name: 'the end of another login',
    sql: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'`,
    expected: '42501',
  },
  {
    name: 'a row of a partition',
    sql: 'SELECT * FROM audit_logs_default',
    expected: '42501',
    expectedOf: { backup: 'none' },
  },
  { name: 'the statistics of all', sql: 'SELECT * FROM user_job_stats', expected: '42501', expectedOf: READS_ALL },
  { name: 'no row security', sql: ['SET row_security = off', ALL_RELATIONS], expected: '42501', expectedOf: READS_ALL },
];
