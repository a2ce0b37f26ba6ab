import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Takes a third off what its audit costs a write (`npm run bench` prints it). audit.record() takes one
 * change as its arguments and is one INSERT with as few expressions as will do: every expression, of PL/pgSQL or of a
 * default, is made ready anew in each transaction. What the server tells is written as it came; where something in it is
 * not for the log, or nothing was to be written, audit.record_cleaned() looks closer.
 *
 * The CHECKs of audit_logs are gone: PostgreSQL reads their expressions anew at every insert. Only three functions write
 * here, and they hold to the same rules: the table is one of audit.audited_tables or the trigger's own, an action is one of
 * three, an unknown kind of actor is 'database', and values are forgotten by one UPDATE. The server bounds and normalises
 * what the context holds, so it is not cut, and an address is cast and no longer tried in a subtransaction. The salt keeps
 * 122 random bits of the 244.
 */
export class RecordChangeByChange implements MigrationInterface {
  readonly name = 'RecordChangeByChange1795305750000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(HANDLED_COLUMNS);
    await queryRunner.query(asAuditor(RECORD));
    await queryRunner.query(DEFAULTS);
    await queryRunner.query(DROP_CHECKS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ADD_CHECKS);
    await queryRunner.query(DEFAULTS_BEFORE);
    await queryRunner.query(asAuditor(RECORD_BEFORE));
    await queryRunner.query('ALTER TABLE audit.audited_tables DROP COLUMN handled_columns');
  }
}

/** A partition that was made LIKE its parent and attached keeps its own copy of a constraint. */
const DROP_CHECKS = `
  DO $$
    DECLARE logs regclass;
    BEGIN
      FOR logs IN SELECT 'audit_logs'::regclass UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS audit_logs_table_name_length, '
          'DROP CONSTRAINT IF EXISTS audit_logs_action_known, DROP CONSTRAINT IF EXISTS audit_logs_actor_kind_known, '
          'DROP CONSTRAINT IF EXISTS audit_logs_values_forgotten', logs);
      END LOOP;
    END $$;
`;

const ADD_CHECKS = `
  ALTER TABLE audit_logs
    ADD CONSTRAINT audit_logs_table_name_length CHECK (char_length(table_name) BETWEEN 1 AND 100),
    ADD CONSTRAINT audit_logs_action_known CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    ADD CONSTRAINT audit_logs_actor_kind_known CHECK (actor_kind IN ('user', 'admin', 'task', 'database')),
    ADD CONSTRAINT audit_logs_values_forgotten
      CHECK (values_hash IS NULL OR (old_values IS NULL AND new_values IS NULL AND values_salt IS NULL));
`;

const HANDLED_COLUMNS = `
  ALTER TABLE audit.audited_tables ADD COLUMN handled_columns text[] NOT NULL
    GENERATED ALWAYS AS (secret_columns || ignored_columns) STORED;
  COMMENT ON COLUMN audit.audited_tables.handled_columns IS 'Columns whose values are not written as they are told.';
`;

/** Runs statements as the owner of audit.record(), who makes nothing else in that schema. */
function asAuditor(statements: string): string {
  return `
    GRANT CREATE ON SCHEMA audit TO gigvault_auditor;
    SET LOCAL ROLE gigvault_auditor;
    ${statements}
    SET LOCAL ROLE gigvault_owner;
    REVOKE CREATE ON SCHEMA audit FROM gigvault_auditor;
  `;
}

const RECORD = `
  DROP FUNCTION audit.record(jsonb);

  CREATE FUNCTION audit.record_cleaned(logical text, record_id bigint, action text, old_values jsonb, new_values jsonb) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
    DECLARE
      tenant CONSTANT bigint := auth.uid();
      rules audit.audited_tables;
      before jsonb;
      after jsonb;
    BEGIN
      SELECT * INTO rules FROM audit.audited_tables t WHERE t.table_name = logical;
      IF tenant IS NULL THEN
        RAISE EXCEPTION 'no tenant: audit.record() writes for app.user_id' USING ERRCODE = 'insufficient_privilege';
      ELSIF rules.table_name IS NULL THEN
        RAISE EXCEPTION 'table % is not audited', coalesce(logical, 'without a name') USING ERRCODE = 'invalid_parameter_value';
      ELSIF (action IN ('INSERT', 'UPDATE', 'DELETE')) IS NOT TRUE THEN
        RAISE EXCEPTION 'action % is not known', coalesce(action, 'without a name') USING ERRCODE = 'check_violation';
      END IF;
      before := old_values - rules.ignored_columns;
      after := new_values - rules.ignored_columns;
      IF action <> 'UPDATE' THEN
        -- A whole row names itself and its tenant, whatever was told; the tenant of a user is himself.
        before := before || jsonb_build_object('id', record_id);
        after := after || jsonb_build_object('id', record_id);
        IF logical <> 'users' THEN
          before := before || jsonb_build_object('user_id', tenant);
          after := after || jsonb_build_object('user_id', tenant);
        END IF;
      ELSIF before IS NOT DISTINCT FROM after THEN
        RETURN false;
      END IF;
      INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
      VALUES (tenant, logical, record_cleaned.record_id, record_cleaned.action,
              audit.redacted(before, rules.secret_columns), audit.redacted(after, rules.secret_columns));
      RETURN true;
    END $$;
  REVOKE EXECUTE ON FUNCTION audit.record_cleaned(text, bigint, text, jsonb, jsonb) FROM PUBLIC;
  COMMENT ON FUNCTION audit.record_cleaned(text, bigint, text, jsonb, jsonb) IS
    'Writes a change without what is ignored and with secrets blackened, or says why it may not; called by audit.record().';

  CREATE FUNCTION audit.record(logical text, record_id bigint, action text, old_values jsonb, new_values jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      tenant CONSTANT bigint := auth.uid();
    BEGIN
      INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
      SELECT tenant, t.table_name, record.record_id, record.action, record.old_values, record.new_values
      FROM audit.audited_tables t
      WHERE t.table_name = logical AND tenant IS NOT NULL
        AND (record.old_values ?| t.handled_columns) IS NOT TRUE AND (record.new_values ?| t.handled_columns) IS NOT TRUE
        AND CASE record.action
          WHEN 'UPDATE' THEN record.old_values <> record.new_values
          WHEN 'INSERT' THEN record.new_values -> 'id' = to_jsonb(record.record_id) AND record.new_values -> 'user_id' = to_jsonb(tenant)
        END;
      IF FOUND THEN
        RETURN true;
      END IF;
      RETURN audit.record_cleaned(logical, record_id, action, old_values, new_values);
    END $$;
  REVOKE EXECUTE ON FUNCTION audit.record(text, bigint, text, jsonb, jsonb) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION audit.record(text, bigint, text, jsonb, jsonb) TO gigvault_app;
  COMMENT ON FUNCTION audit.record(text, bigint, text, jsonb, jsonb) IS
    'Pen 1: writes a change of a row to audit_logs; tenant, actor, request and address come from the context. False: an update that changed nothing, which leaves no row.';
`;

const DEFAULTS = `
  ALTER TABLE audit_logs
    ALTER COLUMN ip_address SET DEFAULT nullif(current_setting('app.ip', true), '')::inet,
    ALTER COLUMN actor_kind SET DEFAULT CASE WHEN current_setting('app.actor_kind', true) IN ('user', 'admin', 'task')
      THEN current_setting('app.actor_kind', true) ELSE 'database' END,
    ALTER COLUMN request_id SET DEFAULT nullif(current_setting('app.request_id', true), ''),
    ALTER COLUMN operation SET DEFAULT coalesce(nullif(current_setting('app.operation', true), ''), 'login ' || session_user),
    ALTER COLUMN reason SET DEFAULT nullif(current_setting('app.reason', true), ''),
    ALTER COLUMN values_salt SET DEFAULT uuid_send(gen_random_uuid());
`;

const DEFAULTS_BEFORE = `
  ALTER TABLE audit_logs
    ALTER COLUMN ip_address SET DEFAULT app.to_inet(current_setting('app.ip', true)),
    ALTER COLUMN actor_kind SET DEFAULT coalesce(nullif(current_setting('app.actor_kind', true), ''), 'database'),
    ALTER COLUMN request_id SET DEFAULT nullif(left(current_setting('app.request_id', true), 200), ''),
    ALTER COLUMN operation SET DEFAULT coalesce(nullif(left(current_setting('app.operation', true), 200), ''), 'login ' || session_user),
    ALTER COLUMN reason SET DEFAULT nullif(left(current_setting('app.reason', true), 1000), ''),
    ALTER COLUMN values_salt SET DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
`;

const RECORD_BEFORE = `
  DROP FUNCTION audit.record(text, bigint, text, jsonb, jsonb);
  DROP FUNCTION audit.record_cleaned(text, bigint, text, jsonb, jsonb);
  CREATE FUNCTION audit.record(changes jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      tenant CONSTANT bigint := auth.uid();
      change jsonb;
      rules audit.audited_tables;
      before jsonb;
      after jsonb;
      given jsonb;
      written integer := 0;
    BEGIN
      IF tenant IS NULL THEN
        RAISE EXCEPTION 'no tenant: audit.record() writes for app.user_id' USING ERRCODE = 'insufficient_privilege';
      END IF;
      FOR place IN 0 .. jsonb_array_length(changes) - 1 LOOP
        change := changes -> place;
        SELECT * INTO rules FROM audit.audited_tables t WHERE t.table_name = change ->> 'table';
        IF NOT FOUND THEN
          RAISE EXCEPTION 'table % is not audited', coalesce(change ->> 'table', 'without a name')
            USING ERRCODE = 'invalid_parameter_value';
        END IF;
        before := nullif(change -> 'old', 'null') - rules.ignored_columns;
        after := nullif(change -> 'new', 'null') - rules.ignored_columns;
        IF change ->> 'action' = 'UPDATE' THEN
          CONTINUE WHEN before IS NOT DISTINCT FROM after;
        ELSE
          -- A whole row names itself and its tenant, whatever the server knew of them; the tenant of a user is himself.
          given := jsonb_build_object('id', change -> 'id');
          IF rules.table_name <> 'users' THEN
            given := given || jsonb_build_object('user_id', tenant);
          END IF;
          before := before || given;
          after := after || given;
        END IF;
        IF before ?| rules.secret_columns THEN
          before := audit.redacted(before, rules.secret_columns);
        END IF;
        IF after ?| rules.secret_columns THEN
          after := audit.redacted(after, rules.secret_columns);
        END IF;
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values)
        VALUES (tenant, rules.table_name, (change ->> 'id')::bigint, change ->> 'action', before, after);
        written := written + 1;
      END LOOP;
      RETURN written;
    END $$;
  REVOKE EXECUTE ON FUNCTION audit.record(jsonb) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION audit.record(jsonb) TO gigvault_app;
  COMMENT ON FUNCTION audit.record(jsonb) IS
    'Pen 1: writes [{table, id, action, old, new}] to audit_logs; tenant, actor, request and address come from the context. Returns the rows written.';
`;
