import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the audit: the list of audited tables, the triggers' function (pen 2) and audit.record() (pen 1).
 *
 * Entity work is told by the server's TypeORM subscriber and written by audit.record(); everything else (sets of rows,
 * imports, cascades, functions, tasks, psql) by statement triggers with transition tables. app.audited_by = 'orm' keeps
 * the triggers still for a unit's own statements, but not for what those cause (pg_trigger_depth() > 0: a cascade).
 *
 * Both pens write one shape. INSERT: new_values is the row. DELETE: old_values is the row. UPDATE: both hold the changed
 * columns only. Left out are bookkeeping and generated columns; secrets become "[redacted]", by one list for both.
 */
export class CreateAuditFunctions implements MigrationInterface {
  readonly name = 'CreateAuditFunctions1795305603000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(CAPTURE);
    await queryRunner.query(RECORD);
    await queryRunner.query(WATCH);
    await queryRunner.query(OWNERS);
    await queryRunner.query(LOG_PARTITIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // The logs' default partitions stay with their tables; their TRUNCATE triggers go with the function.
    await queryRunner.query(`
      DELETE FROM app.partitioned_tables;
      DO $$
      DECLARE partition record;
      BEGIN
        FOR partition IN SELECT inhrelid::regclass AS name FROM pg_inherits
          WHERE inhparent IN ('security_logs'::regclass, 'audit_logs'::regclass)
        LOOP
          EXECUTE format('DROP TABLE %s', partition.name);
        END LOOP;
      END $$;
      DROP TRIGGER audit_truncate ON security_logs;
      DROP TRIGGER audit_truncate ON audit_logs;
      DROP FUNCTION audit.watch(text, text[], text[]);
      DROP FUNCTION audit.watch_partition(text, text);
      DROP FUNCTION audit.record(jsonb);
      DROP FUNCTION audit.canonical(jsonb, audit.audited_tables);
      DROP FUNCTION audit.capture();
      DROP FUNCTION audit.changes(jsonb, jsonb);
      DROP FUNCTION audit.redacted(jsonb, text[]);
      DROP FUNCTION audit.refuse_truncate();
      DROP TABLE audit.audited_tables;
    `);
  }
}

const TABLES = `
  CREATE TABLE audit.audited_tables (
    table_name text PRIMARY KEY,
    secret_columns text[] NOT NULL,
    ignored_columns text[] NOT NULL,
    numeric_columns text[] NOT NULL,
    time_columns text[] NOT NULL
  );
  COMMENT ON TABLE audit.audited_tables IS 'The one list both pens of the audit go by; written by audit.watch().';
  COMMENT ON COLUMN audit.audited_tables.secret_columns IS 'Columns whose values become "[redacted]".';
  COMMENT ON COLUMN audit.audited_tables.ignored_columns IS
    'Columns whose change is none: bookkeeping, generated ones, and those named with a reason in their migration.';
  COMMENT ON COLUMN audit.audited_tables.numeric_columns IS 'Columns that JavaScript holds as decimal strings.';
  COMMENT ON COLUMN audit.audited_tables.time_columns IS 'Columns of instants, which JavaScript writes another way than PostgreSQL.';
  ALTER TABLE audit.audited_tables ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.audited_tables FORCE ROW LEVEL SECURITY;
  CREATE POLICY audited_tables_select ON audit.audited_tables FOR SELECT USING (true);
  CREATE POLICY audited_tables_insert ON audit.audited_tables FOR INSERT TO gigvault_owner WITH CHECK (true);
  CREATE POLICY audited_tables_update ON audit.audited_tables FOR UPDATE TO gigvault_owner USING (true);
  CREATE POLICY audited_tables_delete ON audit.audited_tables FOR DELETE TO gigvault_owner USING (true);
  GRANT SELECT ON audit.audited_tables TO gigvault_app, gigvault_auditor;
`;

/**
 * The helpers have no search_path of their own: it would cost more than their work, and their callers have fixed it. They
 * are plpgsql, which keeps its plans; an SQL function that cannot be inlined is planned at every call (50 µs each here).
 * Transition tables have no statistics, so their joins look dear enough to be compiled: jit off (16 ms an update).
 */
const CAPTURE = `
  CREATE FUNCTION audit.redacted(row_values jsonb, secrets text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF row_values ?| secrets THEN
        RETURN (
          SELECT jsonb_object_agg(key, CASE WHEN key = ANY (secrets) AND value <> 'null' THEN '"[redacted]"' ELSE value END)
          FROM jsonb_each(row_values)
        );
      END IF;
      RETURN row_values;
    END $$;
  COMMENT ON FUNCTION audit.redacted(jsonb, text[]) IS 'The values with those of secret columns blackened; NULL stays NULL.';

  CREATE FUNCTION audit.changes(before jsonb, after jsonb) RETURNS TABLE (old_values jsonb, new_values jsonb)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value)
      FROM jsonb_each(before) o JOIN jsonb_each(after) n ON n.key = o.key
      WHERE o.value IS DISTINCT FROM n.value
    $$;
  COMMENT ON FUNCTION audit.changes(jsonb, jsonb) IS 'The values that differ, before and after; NULL when none does.';

  CREATE FUNCTION audit.capture() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    SET jit = off
    AS $$
    DECLARE
      -- The trigger's argument, because TG_TABLE_NAME would be the partition's.
      logical CONSTANT text := TG_ARGV[0];
      -- The tenant of a row of users is the row itself.
      tenant CONSTANT text := CASE logical WHEN 'users' THEN 'id' ELSE 'user_id' END;
      rules audit.audited_tables;
    BEGIN
      SELECT * INTO STRICT rules FROM audit.audited_tables t WHERE t.table_name = logical;
      CASE TG_OP
      WHEN 'INSERT' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, new_values)
        SELECT (r.v ->> tenant)::bigint, logical, (r.v ->> 'id')::bigint, TG_OP,
               audit.redacted(r.v, rules.secret_columns)
        FROM new_rows n, LATERAL (SELECT to_jsonb(n) - rules.ignored_columns OFFSET 0) AS r (v);
      WHEN 'DELETE' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values)
        SELECT (r.v ->> tenant)::bigint, logical, (r.v ->> 'id')::bigint, TG_OP,
               audit.redacted(r.v, rules.secret_columns)
        FROM old_rows o, LATERAL (SELECT to_jsonb(o) - rules.ignored_columns OFFSET 0) AS r (v);
      WHEN 'UPDATE' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
        SELECT (r.n ->> tenant)::bigint, logical, (r.n ->> 'id')::bigint, TG_OP,
               audit.redacted(c.old_values, rules.secret_columns), audit.redacted(c.new_values, rules.secret_columns)
        FROM old_rows o JOIN new_rows n ON n.id = o.id,
             LATERAL (SELECT to_jsonb(o) - rules.ignored_columns, to_jsonb(n) - rules.ignored_columns OFFSET 0) AS r (o, n),
             LATERAL audit.changes(r.o, r.n) AS c
        WHERE c.new_values IS NOT NULL;
      END CASE;
      RETURN NULL;
    END $$;
  COMMENT ON FUNCTION audit.capture() IS 'Pen 2: one row of audit_logs for each row the statement changed. Argument: the logical table.';

  CREATE FUNCTION audit.refuse_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RAISE EXCEPTION 'TRUNCATE of % would leave no trace; DELETE does', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END $$;
`;

/**
 * What the server tells is JSON of JavaScript values: numbers and instants get the very form the triggers write. A whole
 * row names itself and its tenant, whatever the server knew of them.
 */
const RECORD = `
  CREATE FUNCTION audit.canonical(row_values jsonb, rules audit.audited_tables) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
    BEGIN
      RETURN (
        SELECT jsonb_object_agg(key, CASE
          WHEN key = ANY (rules.numeric_columns) THEN to_jsonb((value #>> '{}')::numeric)
          WHEN key = ANY (rules.time_columns) THEN to_jsonb((value #>> '{}')::timestamptz)
          ELSE value END)
        FROM jsonb_each(row_values - rules.ignored_columns)
      );
    END $$;

  CREATE FUNCTION audit.record(changes jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      tenant CONSTANT bigint := auth.uid();
      stranger text;
      written integer;
    BEGIN
      IF tenant IS NULL THEN
        RAISE EXCEPTION 'no tenant: audit.record() writes for app.user_id' USING ERRCODE = 'insufficient_privilege';
      END IF;
      SELECT coalesce(c ->> 'table', 'without a name') INTO stranger FROM jsonb_array_elements(changes) AS c
      WHERE NOT EXISTS (SELECT FROM audit.audited_tables t WHERE t.table_name = c ->> 'table');
      IF FOUND THEN
        RAISE EXCEPTION 'table % is not audited', stranger USING ERRCODE = 'invalid_parameter_value';
      END IF;
      INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
      SELECT tenant, c."table", c.id, c.action,
             audit.redacted(v.old, rules.secret_columns), audit.redacted(v.new, rules.secret_columns)
      FROM ROWS FROM (jsonb_to_recordset(changes) AS ("table" text, id bigint, action text, old jsonb, new jsonb))
           WITH ORDINALITY AS c ("table", id, action, old, new, position)
      JOIN audit.audited_tables rules ON rules.table_name = c."table",
      LATERAL (SELECT
        audit.canonical(c.old, rules)
          || CASE c.action WHEN 'UPDATE' THEN '{}' WHEN 'INSERT' THEN NULL ELSE given.row END,
        audit.canonical(c.new, rules)
          || CASE c.action WHEN 'UPDATE' THEN '{}' WHEN 'DELETE' THEN NULL ELSE given.row END
        FROM (SELECT CASE c."table" WHEN 'users' THEN jsonb_build_object('id', c.id)
                     ELSE jsonb_build_object('id', c.id, 'user_id', tenant) END) AS given ("row") OFFSET 0
      ) AS v (old, new)
      WHERE c.action <> 'UPDATE' OR v.old IS DISTINCT FROM v.new
      -- Changes of one row have the same time at times; the id must tell which came first.
      ORDER BY c.position;
      GET DIAGNOSTICS written = ROW_COUNT;
      RETURN written;
    END $$;
  COMMENT ON FUNCTION audit.record(jsonb) IS
    'Pen 1: writes [{table, id, action, old, new}] to audit_logs; tenant, actor, request and address come from the context. Returns the rows written.';
`;

const WATCH = `
  CREATE FUNCTION audit.watch_partition(parent text, partition text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      -- Inside an entity unit the subscriber writes, except for what its statements cause in turn.
      unless_told CONSTANT text := 'WHEN (pg_trigger_depth() > 0 OR current_setting(''app.audited_by'', true) IS DISTINCT FROM ''orm'')';
    BEGIN
      EXECUTE format('CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION audit.refuse_truncate()', partition);
      IF NOT EXISTS (SELECT FROM audit.audited_tables t WHERE t.table_name = parent) THEN
        RETURN;
      END IF;
      EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON public.%I REFERENCING NEW TABLE AS new_rows '
        '%s EXECUTE FUNCTION audit.capture(%L)', partition, unless_told, parent);
      EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON public.%I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
        '%s EXECUTE FUNCTION audit.capture(%L)', partition, unless_told, parent);
      EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON public.%I REFERENCING OLD TABLE AS old_rows '
        '%s EXECUTE FUNCTION audit.capture(%L)', partition, unless_told, parent);
    END $$;

  CREATE FUNCTION audit.watch(audited text, secrets text[] DEFAULT '{}', ignored text[] DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO audit.audited_tables (table_name, secret_columns, ignored_columns, numeric_columns, time_columns)
      SELECT audited, secrets,
             ignored || array_agg(c.name) FILTER (WHERE a.attgenerated <> '' OR c.name IN ('updated_at', 'version')),
             coalesce(array_agg(c.name) FILTER (WHERE a.atttypid = 'numeric'::regtype), '{}'),
             coalesce(array_agg(c.name) FILTER (WHERE a.atttypid = 'timestamptz'::regtype), '{}')
      FROM pg_attribute a, LATERAL (SELECT a.attname::text) AS c (name)
      WHERE a.attrelid = format('public.%I', audited)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
      PERFORM audit.watch_partition(audited, audited);
    END $$;
  COMMENT ON FUNCTION audit.watch(text, text[], text[]) IS
    'Puts a table of schema public on the list of audited tables and makes its triggers.';
`;

/** Rights are granted by the owner that each function ends up with, hence the order. */
const OWNERS = `
  GRANT EXECUTE ON FUNCTION audit.record(jsonb) TO gigvault_app;
  ALTER FUNCTION audit.redacted(jsonb, text[]) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.changes(jsonb, jsonb) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.canonical(jsonb, audit.audited_tables) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.record(jsonb) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.capture() OWNER TO gigvault_auditor;
  SET LOCAL ROLE gigvault_auditor;
  GRANT EXECUTE ON FUNCTION audit.capture() TO gigvault_owner;
  SET LOCAL ROLE gigvault_owner;
`;

/** The logs had to exist before the audit functions, and their partitions need those: so they come here. */
const LOG_PARTITIONS = `
  SELECT audit.watch_partition('security_logs', 'security_logs'), audit.watch_partition('audit_logs', 'audit_logs');
  INSERT INTO app.partitioned_tables (table_name, key) VALUES ('security_logs', 'created_at'), ('audit_logs', 'created_at');
  SELECT app.create_default_partition('security_logs'), app.create_default_partition('audit_logs');
  SELECT app.create_partitions(2);
`;
