-- Everything that needs a superuser, for the current database: roles, their settings, extensions,
-- CONNECT privileges. Also schema secrets, which no dump contains. Everything else is in
-- typeorm-migrations.
--
-- Run it as a superuser for each database before the migrations, and again when this file changes.
-- It can be repeated, run by several sessions at once, and sent as one string by a driver or with
-- `psql -f`. Tables and their rows do not change. Settings, memberships and attributes of Gigvault's
-- roles are set again, and privileges and marks of PostgreSQL's own functions. Large objects that
-- these roles own are removed.
--
-- Roles belong to the cluster, extensions and grants to the database. CREATE DATABASE … TEMPLATE
-- copies the extensions but not the grants, so a clone needs this file too.
--
-- This file has no passwords. To set them, a session first runs for each role:
--   SELECT set_config('gigvault.password_app', '…', false);   -- _auth, _worker, _admin, _backup, _monitor, _migrator
-- (psql: PGOPTIONS="-c gigvault.password_app=…"). Without it a role's password does not change.
-- The ALTER ROLE runs inside a DO block, so neither log_statement nor pg_stat_statements sees it.

BEGIN;

-- Advisory locks belong to one database; pg_authid is shared, so this lock serializes runs in
-- different databases of one cluster. Reads (every login) are not blocked.
LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE;

-- Roles. gigvault_owner is NOINHERIT: it can give objects to gigvault_definer and gigvault_auditor,
-- but the policies TO those two must not apply to the owner.
DO $roles$
DECLARE
  role record;
  password text;
BEGIN
  FOR role IN
    SELECT * FROM (VALUES
      ('gigvault_owner',    false, false, false),
      ('gigvault_definer',  false, false, false),
      ('gigvault_auditor',  false, false, false),
      ('gigvault_app',      true,  true,  false),
      ('gigvault_auth',     true,  true,  false),
      ('gigvault_worker',   true,  true,  false),
      ('gigvault_admin',    true,  true,  false),
      ('gigvault_backup',   true,  true,  true),
      ('gigvault_monitor',  true,  true,  false),
      ('gigvault_migrator', true,  false, false)
    ) AS wanted (name, login, inherits, bypasses)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role.name) THEN
      EXECUTE format('CREATE ROLE %I', role.name);
    END IF;
    IF EXISTS (
      SELECT FROM pg_catalog.pg_roles r
      WHERE r.rolname = role.name
        AND (r.rolcanlogin, r.rolinherit, r.rolbypassrls, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication)
          IS DISTINCT FROM (role.login, role.inherits, role.bypasses, false, false, false, false)
    ) THEN
      EXECUTE format('ALTER ROLE %I %s %s %s NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION', role.name,
        CASE WHEN role.login THEN 'LOGIN' ELSE 'NOLOGIN' END,
        CASE WHEN role.inherits THEN 'INHERIT' ELSE 'NOINHERIT' END,
        CASE WHEN role.bypasses THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END);
    END IF;
    password := nullif(current_setting('gigvault.password_' || substr(role.name, 10), true), '');
    IF role.login AND password IS NOT NULL THEN
      EXECUTE format('ALTER ROLE %I PASSWORD %L', role.name, password);
    END IF;
  END LOOP;
END
$roles$;

-- Memberships. gigvault_monitor sees other roles' statements in pg_stat_statements. gigvault_backup
-- has no pg_read_all_data, which also reads schema secrets and the passwords of pg_authid: the
-- migrations grant it SELECT on each table.
DO $memberships$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('gigvault_migrator', 'gigvault_owner'),
      ('gigvault_owner',    'gigvault_definer'),
      ('gigvault_owner',    'gigvault_auditor'),
      ('gigvault_monitor',  'pg_read_all_stats')
    ) AS w (member, role)
  LOOP
    IF NOT EXISTS (
      SELECT FROM pg_catalog.pg_auth_members m
      WHERE m.member = wanted.member::regrole AND m.roleid = wanted.role::regrole
    ) THEN
      EXECUTE format('GRANT %I TO %I', wanted.role, wanted.member);
    END IF;
  END LOOP;
  -- A bootstrap.sql of an earlier version granted it.
  IF EXISTS (
    SELECT FROM pg_catalog.pg_auth_members m
    WHERE m.member = 'gigvault_backup'::regrole AND m.roleid = 'pg_read_all_data'::regrole
  ) THEN
    REVOKE pg_read_all_data FROM gigvault_backup;
  END IF;
END
$memberships$;

-- Settings of each login. Timeouts are a second limit after the application's own, so that a lost
-- client cannot keep a transaction open. With row_security = off a backup that RLS would filter
-- fails instead. jit costs more than it saves on queries of milliseconds.
--
-- The log of the server must contain no values, because an erasure does not reach it. A message of
-- level ERROR may quote one ("invalid input syntax"), so these are not logged: the servers log errors
-- themselves, without values. Parameters of slow statements and the details of a message are left
-- out too.
--
-- A login can change its own settings (ALTER ROLE … SET), so all others are removed. The comment of
-- the role repeats its settings, and only a superuser can change it: the server compares both at its
-- start. Settings for all roles belong to the database: ALTER DATABASE … SET.
DO $settings$
DECLARE
  here CONSTANT text := current_database();
  wanted record;
  given text;
BEGIN
  FOR wanted IN
    SELECT w.role, array_agg(w.name) AS names, array_agg(w.value) AS values,
      string_agg(format('%s=%s', w.name, w.value), E'\n' ORDER BY w.name COLLATE "C") AS text
    FROM (
      VALUES
        ('gigvault_migrator', 'role',                                'gigvault_owner'),
        ('gigvault_migrator', 'TimeZone',                            'UTC'),
        ('gigvault_migrator', 'search_path',                         'public'),
        ('gigvault_migrator', 'lock_timeout',                        '10s'),
        ('gigvault_app',      'TimeZone',                            'UTC'),
        ('gigvault_app',      'search_path',                         'public'),
        ('gigvault_app',      'jit',                                 'off'),
        ('gigvault_app',      'statement_timeout',                   '60s'),
        ('gigvault_app',      'idle_in_transaction_session_timeout', '60s'),
        ('gigvault_auth',     'TimeZone',                            'UTC'),
        ('gigvault_auth',     'search_path',                         'public'),
        ('gigvault_auth',     'jit',                                 'off'),
        ('gigvault_auth',     'statement_timeout',                   '15s'),
        ('gigvault_auth',     'idle_in_transaction_session_timeout', '30s'),
        ('gigvault_worker',   'TimeZone',                            'UTC'),
        ('gigvault_worker',   'search_path',                         'public'),
        ('gigvault_worker',   'jit',                                 'off'),
        ('gigvault_worker',   'statement_timeout',                   '15min'),
        ('gigvault_worker',   'idle_in_transaction_session_timeout', '60s'),
        ('gigvault_admin',    'TimeZone',                            'UTC'),
        ('gigvault_admin',    'search_path',                         'public'),
        ('gigvault_admin',    'jit',                                 'off'),
        ('gigvault_admin',    'statement_timeout',                   '30s'),
        ('gigvault_admin',    'idle_in_transaction_session_timeout', '30s'),
        ('gigvault_backup',   'TimeZone',                            'UTC'),
        ('gigvault_backup',   'row_security',                        'off'),
        ('gigvault_backup',   'default_transaction_read_only',       'on'),
        ('gigvault_monitor',  'TimeZone',                            'UTC'),
        ('gigvault_monitor',  'search_path',                         'public'),
        ('gigvault_monitor',  'default_transaction_read_only',       'on'),
        ('gigvault_monitor',  'statement_timeout',                   '10s')
      UNION ALL
      SELECT login, log.name, log.value
      FROM unnest(ARRAY['gigvault_migrator', 'gigvault_app', 'gigvault_auth', 'gigvault_worker', 'gigvault_admin',
                        'gigvault_backup', 'gigvault_monitor']) AS login,
        (VALUES
          ('log_min_messages',                 'log'),
          ('log_error_verbosity',              'terse'),
          ('log_parameter_max_length',         '0'),
          ('log_parameter_max_length_on_error', '0')
        ) AS log (name, value)
    ) AS w (role, name, value)
    GROUP BY w.role
  LOOP
    SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") INTO given
    FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS line
    WHERE s.setrole = wanted.role::regrole
      AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = here));
    IF given IS DISTINCT FROM wanted.text THEN
      EXECUTE format('ALTER ROLE %I RESET ALL', wanted.role);
      EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', wanted.role, here);
      FOR i IN 1 .. array_length(wanted.names, 1) LOOP
        EXECUTE format('ALTER ROLE %I SET %s TO %L', wanted.role, wanted.names[i], wanted.values[i]);
      END LOOP;
    END IF;
    IF shobj_description(wanted.role::regrole, 'pg_authid') IS DISTINCT FROM wanted.text THEN
      EXECUTE format('COMMENT ON ROLE %I IS %L', wanted.role, wanted.text);
    END IF;
  END LOOP;
END
$settings$;

-- Functions that no login needs. Large objects are outside of row security, audit and erasure. An
-- advisory lock of a session would outlive the transaction of a pooled connection; the servers use
-- those of a transaction. Large objects of Gigvault's logins are removed.
DO $functions$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
      AND p.proname ~ '^(lo_.+|loread|lowrite|pg_(try_)?advisory_lock(_shared)?)$'
      AND EXISTS (
        SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0)
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
  END LOOP;
  PERFORM lo_unlink(o.oid) FROM pg_catalog.pg_largeobject_metadata o
  WHERE o.lomowner::regrole::text LIKE 'gigvault\_%';
END
$functions$;

-- Extensions. btree_gin allows the tenant as first column of a GIN index, unaccent removes accents in
-- the search, pg_stat_statements feeds the list of slow queries (it also needs
-- shared_preload_libraries; without it only that list is unavailable).
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public;

-- Under row security a condition may use an index only if its operator reveals nothing about hidden
-- rows (LEAKPROOF). PostgreSQL marks only a part of those that never report a value. Lists and searches
-- need @>, && and @@, whose errors name types only, and the order of numerics, which has no errors.
-- The operators of arrays call the equality of the element type. So these marks are right only while no
-- login can create a type or an operator: logins have CREATE on no schema, and the server checks that at
-- its start. pg_upgrade loses the marks; then the server warns until this file runs again.
DO $leakproof$
DECLARE
  operator regprocedure;
BEGIN
  FOREACH operator IN ARRAY ARRAY[
    'pg_catalog.arraycontains(anyarray, anyarray)', 'pg_catalog.arrayoverlap(anyarray, anyarray)',
    'pg_catalog.ts_match_vq(tsvector, tsquery)', 'pg_catalog.numeric_ge(numeric, numeric)',
    'pg_catalog.numeric_gt(numeric, numeric)', 'pg_catalog.numeric_le(numeric, numeric)',
    'pg_catalog.numeric_lt(numeric, numeric)']::regprocedure[]
  LOOP
    IF NOT (SELECT proleakproof FROM pg_catalog.pg_proc WHERE oid = operator) THEN
      EXECUTE format('ALTER FUNCTION %s LEAKPROOF', operator);
    END IF;
  END LOOP;
END
$leakproof$;

-- Statements stay prepared on a pooled connection. Without their names, SQL of one request cannot replace
-- a statement that the next request runs. A superuser still reads them.
DO $names$
BEGIN
  IF has_function_privilege('gigvault_app', 'pg_catalog.pg_prepared_statement()', 'EXECUTE') THEN
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_prepared_statement() FROM PUBLIC;
  END IF;
END
$names$;

-- LOCK TABLE needs UPDATE, which PostgreSQL grants to all on one view of its own: a lock on it stops pg_dump,
-- which reads it first. An UPDATE of the view is another form of SET.
DO $locks$
BEGIN
  IF has_table_privilege('gigvault_app', 'pg_catalog.pg_settings', 'UPDATE') THEN
    REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;
  END IF;
END
$locks$;

-- Privileges on this database. Only Gigvault's logins can connect. No temporary objects (a function
-- in pg_temp could observe rows of a query) except for gigvault_definer: REFRESH … CONCURRENTLY
-- builds its difference in a temporary table.
DO $database$
DECLARE
  logins CONSTANT text := 'gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, '
    'gigvault_backup, gigvault_monitor, gigvault_migrator';
  here CONSTANT text := quote_ident(current_database());
BEGIN
  IF NOT has_database_privilege('gigvault_owner', current_database(), 'CREATE')
     OR NOT has_database_privilege('gigvault_definer', current_database(), 'TEMPORARY')
     OR EXISTS (
       SELECT FROM pg_catalog.pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g
       WHERE d.datname = current_database() AND g.grantee = 0)
     OR EXISTS (
       SELECT FROM unnest(string_to_array(logins, ', ')) AS login
       WHERE NOT has_database_privilege(login, current_database(), 'CONNECT'))
  THEN
    EXECUTE 'REVOKE ALL ON DATABASE ' || here || ' FROM PUBLIC';
    EXECUTE 'GRANT CONNECT ON DATABASE ' || here || ' TO ' || logins;
    EXECUTE 'GRANT CONNECT, CREATE ON DATABASE ' || here || ' TO gigvault_owner';
    EXECUTE 'GRANT TEMPORARY ON DATABASE ' || here || ' TO gigvault_definer';
  END IF;
  IF (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'public') <> 'gigvault_owner'::regrole THEN
    ALTER SCHEMA public OWNER TO gigvault_owner;
  END IF;
  -- Statements such as ALTER ROLE … PASSWORD would be kept with their literals, readable for gigvault_monitor.
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database() AND s.setrole = 0
      AND 'pg_stat_statements.track_utility=off' = ANY (s.setconfig))
  THEN
    EXECUTE 'ALTER DATABASE ' || here || ' SET pg_stat_statements.track_utility = off';
  END IF;
END
$database$;

-- Keys that no dump contains. pg_dump needs SELECT on each table in a dump (PostgreSQL 15), also on one
-- whose data it leaves out, so backups leave out the whole schema. A restore finds it here, empty.
-- The server stores the keys as gigvault_migrator; only the view auth.context reads them.
DO $secrets$
BEGIN
  IF to_regclass('secrets.context_keys') IS NULL THEN
    CREATE SCHEMA IF NOT EXISTS secrets;
    ALTER SCHEMA secrets OWNER TO gigvault_owner;
    CREATE TABLE secrets.context_keys (
      login name NOT NULL,
      inner_pad bytea NOT NULL CONSTRAINT context_keys_inner_pad_length CHECK (octet_length(inner_pad) = 64),
      outer_pad bytea NOT NULL CONSTRAINT context_keys_outer_pad_length CHECK (octet_length(outer_pad) = 64),
      replaced_at timestamptz,
      CONSTRAINT context_keys_pkey PRIMARY KEY (login, inner_pad)
    );
    COMMENT ON TABLE secrets.context_keys IS
      'The keys that sign the contexts of a login, as the padded keys of HMAC-SHA-256 (RFC 2104).';
    COMMENT ON COLUMN secrets.context_keys.replaced_at IS
      'When a new key replaced this one, which stays valid for a day.';
    ALTER TABLE secrets.context_keys OWNER TO gigvault_owner;
    ALTER TABLE secrets.context_keys ENABLE ROW LEVEL SECURITY;
    ALTER TABLE secrets.context_keys FORCE ROW LEVEL SECURITY;
    CREATE POLICY context_keys_definer_select ON secrets.context_keys
      FOR SELECT TO gigvault_definer USING (true);
    CREATE POLICY context_keys_owner_select ON secrets.context_keys
      FOR SELECT TO gigvault_owner USING (true);
    CREATE POLICY context_keys_owner_insert ON secrets.context_keys
      FOR INSERT TO gigvault_owner WITH CHECK (true);
    CREATE POLICY context_keys_owner_update ON secrets.context_keys
      FOR UPDATE TO gigvault_owner USING (true);
    CREATE POLICY context_keys_owner_delete ON secrets.context_keys
      FOR DELETE TO gigvault_owner USING (true);
    GRANT USAGE ON SCHEMA secrets TO gigvault_definer;
    GRANT SELECT ON secrets.context_keys TO gigvault_definer;
  END IF;
END
$secrets$;

COMMIT;
