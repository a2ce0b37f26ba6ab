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
      DROP FUNCTION audit.canonical(text, jsonb);
      DROP FUNCTION audit.capture();
      DROP FUNCTION audit.changes(jsonb, jsonb, text[]);
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
    ignored_columns text[] NOT NULL
  );
  COMMENT ON TABLE audit.audited_tables IS 'The one list both pens of the audit go by; written by audit.watch().';
  COMMENT ON COLUMN audit.audited_tables.secret_columns IS 'Columns whose values become "[redacted]".';
  COMMENT ON COLUMN audit.audited_tables.ignored_columns IS
    'Columns whose change is none: bookkeeping, generated ones, and those named with a reason in their migration.';
  ALTER TABLE audit.audited_tables ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.audited_tables FORCE ROW LEVEL SECURITY;
  CREATE POLICY audited_tables_select ON audit.audited_tables FOR SELECT USING (true);
  CREATE POLICY audited_tables_insert ON audit.audited_tables FOR INSERT TO gigvault_owner WITH CHECK (true);
  CREATE POLICY audited_tables_update ON audit.audited_tables FOR UPDATE TO gigvault_owner USING (true);
  CREATE POLICY audited_tables_delete ON audit.audited_tables FOR DELETE TO gigvault_owner USING (true);
  GRANT SELECT ON audit.audited_tables TO gigvault_app, gigvault_auditor;
`;

const CAPTURE = `
  CREATE FUNCTION audit.redacted(row_values jsonb, secrets text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
      SELECT CASE WHEN row_values ?| secrets THEN (
        SELECT jsonb_object_agg(key, CASE WHEN key = ANY (secrets) AND value <> 'null' THEN '"[redacted]"' ELSE value END)
        FROM jsonb_each(row_values)
      ) ELSE row_values END
    $$;
  COMMENT ON FUNCTION audit.redacted(jsonb, text[]) IS 'The values with those of secret columns blackened; NULL stays NULL.';

  CREATE FUNCTION audit.changes(
    before jsonb, after jsonb, ignored text[], OUT old_values jsonb, OUT new_values jsonb
  ) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
      SELECT jsonb_object_agg(key, o.value), jsonb_object_agg(key, n.value)
      FROM jsonb_each(before - ignored) o JOIN jsonb_each(after - ignored) n USING (key)
      WHERE o.value IS DISTINCT FROM n.value
    $$;
  COMMENT ON FUNCTION audit.changes(jsonb, jsonb, text[]) IS 'The values that differ, before and after; NULL when none does.';

  CREATE FUNCTION audit.capture() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
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
               audit.redacted(r.v - rules.ignored_columns, rules.secret_columns)
        FROM new_rows n, LATERAL (SELECT to_jsonb(n) OFFSET 0) AS r (v);
      WHEN 'DELETE' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values)
        SELECT (r.v ->> tenant)::bigint, logical, (r.v ->> 'id')::bigint, TG_OP,
               audit.redacted(r.v - rules.ignored_columns, rules.secret_columns)
        FROM old_rows o, LATERAL (SELECT to_jsonb(o) OFFSET 0) AS r (v);
      WHEN 'UPDATE' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
        SELECT (r.n ->> tenant)::bigint, logical, (r.n ->> 'id')::bigint, TG_OP,
               audit.redacted(c.old_values, rules.secret_columns), audit.redacted(c.new_values, rules.secret_columns)
        FROM old_rows o JOIN new_rows n USING (id),
             LATERAL (SELECT to_jsonb(o), to_jsonb(n) OFFSET 0) AS r (o, n),
             LATERAL audit.changes(r.o, r.n, rules.ignored_columns) AS c
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
 * What the server tells is JSON of JavaScript values: reading it through the table's own row type gives numbers, times
 * and arrays the very form the triggers write, and drops what is no column.
 */
const RECORD = `
  CREATE FUNCTION audit.canonical(table_name text, row_values jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      typed jsonb;
    BEGIN
      EXECUTE format('SELECT to_jsonb(jsonb_populate_record(NULL::public.%I, $1))', table_name) INTO typed USING row_values;
      RETURN (SELECT jsonb_object_agg(key, typed -> key) FROM jsonb_object_keys(row_values) AS key WHERE typed ? key);
    END $$;

  CREATE FUNCTION audit.record(changes jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      tenant CONSTANT bigint := auth.uid();
      change record;
      rules audit.audited_tables;
      given jsonb;
      written integer := 0;
    BEGIN
      IF tenant IS NULL THEN
        RAISE EXCEPTION 'no tenant: audit.record() writes for app.user_id' USING ERRCODE = 'insufficient_privilege';
      END IF;
      FOR change IN
        SELECT c."table" AS name, c.id, c.action, c.old, c.new
        FROM jsonb_to_recordset(changes) AS c ("table" text, id bigint, action text, old jsonb, new jsonb)
      LOOP
        IF rules.table_name IS DISTINCT FROM change.name THEN
          SELECT * INTO rules FROM audit.audited_tables t WHERE t.table_name = change.name;
          IF NOT FOUND THEN
            RAISE EXCEPTION 'table % is not audited', change.name USING ERRCODE = 'invalid_parameter_value';
          END IF;
        END IF;
        -- A whole row names itself and its tenant, whatever the server knew of them.
        given := CASE WHEN change.name = 'users' THEN jsonb_build_object('id', change.id)
                      ELSE jsonb_build_object('id', change.id, 'user_id', tenant) END;
        IF change.action = 'UPDATE' THEN
          SELECT c.old_values, c.new_values INTO change.old, change.new
          FROM audit.changes(audit.canonical(change.name, change.old), audit.canonical(change.name, change.new),
                             rules.ignored_columns) AS c;
          CONTINUE WHEN change.new IS NULL;
        ELSIF change.action = 'INSERT' THEN
          change.old := NULL;
          change.new := audit.canonical(change.name, change.new || given) - rules.ignored_columns;
        ELSE
          change.new := NULL;
          change.old := audit.canonical(change.name, change.old || given) - rules.ignored_columns;
        END IF;
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
        VALUES (tenant, change.name, change.id, change.action,
                audit.redacted(change.old, rules.secret_columns), audit.redacted(change.new, rules.secret_columns));
        written := written + 1;
      END LOOP;
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
      INSERT INTO audit.audited_tables (table_name, secret_columns, ignored_columns)
      SELECT audited, secrets, ignored || array_agg(a.attname::text ORDER BY a.attname)
      FROM pg_attribute a
      WHERE a.attrelid = format('public.%I', audited)::regclass AND NOT a.attisdropped
        AND (a.attgenerated <> '' OR a.attname IN ('updated_at', 'version'));
      PERFORM audit.watch_partition(audited, audited);
    END $$;
  COMMENT ON FUNCTION audit.watch(text, text[], text[]) IS
    'Puts a table of schema public on the list of audited tables and makes its triggers.';
`;

/** Rights are granted by the owner that each function ends up with, hence the order. */
const OWNERS = `
  GRANT EXECUTE ON FUNCTION audit.record(jsonb) TO gigvault_app;
  ALTER FUNCTION audit.redacted(jsonb, text[]) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.changes(jsonb, jsonb, text[]) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.canonical(text, jsonb) OWNER TO gigvault_auditor;
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
