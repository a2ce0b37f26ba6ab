import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates the logs security_logs and audit_logs, and the audit.
 *
 * The logs have no foreign keys, because a log outlives the rows it is about. `user_id` is the tenant that a row is
 * about, or NULL. Only functions write to the logs. The primary key is (id, created_at), because the key of a
 * partitioned table must contain the partition key. The id alone is unique too: it is GENERATED ALWAYS.
 *
 * The audit has two sources. The server's TypeORM subscriber reports entity work, and audit.record() writes it.
 * Statement triggers with transition tables write everything else: bulk changes, imports, cascades, functions, tasks,
 * psql. The audit source 'subscriber' of the signed context turns the triggers off for a unit's own statements, but not
 * for what those cause (pg_trigger_depth() > 0: a cascade).
 *
 * Both sources write the same form. INSERT: new_values is the row. DELETE: old_values is the row. UPDATE: both contain
 * only the changed columns. Bookkeeping and generated columns are omitted, and secrets become "[redacted]". Both
 * sources use audit.audited_tables.
 *
 * Erasing a user keeps the rows of the logs with the user's id, time and table, and deletes their values, addresses and
 * reasons.
 */
export class Audit implements MigrationInterface {
  readonly name = 'Audit1795305902000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(AUDITED_TABLES);
    await queryRunner.query(SECURITY_LOGS);
    await queryRunner.query(AUDIT_LOGS);
    await createFunctions(queryRunner, 'audit', ['refuse_short_context']);
    await queryRunner.query(ACTOR);
    // ALTER … OWNER TO requires that the new owner has this right.
    await queryRunner.query('GRANT CREATE ON SCHEMA audit TO gigvault_auditor');
    await createFunctions(queryRunner, 'audit', [
      ...['log_event', 'log_audit_event', 'is_subscriber_audited', 'redact', 'changes', 'capture', 'refuse_truncate'],
      ...['record_redacted'],
      ...['record', 'enable_partition', 'enable', 'values_hash', 'address_hash', 'details_hash', 'erase_user'],
      ...['changes_since'],
    ]);
    await queryRunner.query('REVOKE CREATE ON SCHEMA audit FROM gigvault_auditor');
    await queryRunner.query(PARTITIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM app.partitioned_tables WHERE table_name IN ('security_logs', 'audit_logs');
      DROP FUNCTION
        audit.details_hash(security_logs), audit.address_hash(audit_logs), audit.values_hash(audit_logs);
      DROP TABLE audit_logs, security_logs;
      DROP VIEW audit.actor;
      DROP FUNCTION
        audit.refuse_short_context(),
        audit.changes_since(jsonb),
        audit.erase_user(bigint, bytea, boolean),
        audit.enable(text, text[], text[]),
        audit.enable_partition(text, text),
        audit.record(text, bigint, text, jsonb, jsonb),
        audit.record_redacted(text, bigint, text, jsonb, jsonb),
        audit.refuse_truncate(),
        audit.capture(),
        audit.changes(jsonb, jsonb),
        audit.redact(jsonb, text[]),
        audit.is_subscriber_audited(),
        auth.log_audit_event(text, bigint, jsonb),
        auth.log_event(text, bigint, boolean, text, text, jsonb);
      DROP TABLE audit.audited_tables;
    `);
  }
}

const AUDITED_TABLES = `
  CREATE TABLE audit.audited_tables (
    table_name text PRIMARY KEY,
    secret_columns text[] NOT NULL,
    ignored_columns text[] NOT NULL,
    handled_columns text[] NOT NULL GENERATED ALWAYS AS (secret_columns || ignored_columns) STORED
  );
  COMMENT ON TABLE audit.audited_tables IS 'The audited tables, for both audit sources; audit.enable() adds one.';
  COMMENT ON COLUMN audit.audited_tables.secret_columns IS 'Columns whose values become "[redacted]".';
  COMMENT ON COLUMN audit.audited_tables.ignored_columns IS
    'Columns that the audit ignores: bookkeeping, generated ones, and those that a migration names with a reason.';
  COMMENT ON COLUMN audit.audited_tables.handled_columns IS 'Columns whose values are not logged unchanged.';
  ALTER TABLE audit.audited_tables ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.audited_tables FORCE ROW LEVEL SECURITY;
  CREATE POLICY audited_tables_select ON audit.audited_tables FOR SELECT USING (true);
  CREATE POLICY audited_tables_insert ON audit.audited_tables FOR INSERT TO gigvault_owner WITH CHECK (true);
  CREATE POLICY audited_tables_update ON audit.audited_tables FOR UPDATE TO gigvault_owner USING (true);
  CREATE POLICY audited_tables_delete ON audit.audited_tables FOR DELETE TO gigvault_owner USING (true);
  GRANT SELECT ON audit.audited_tables TO gigvault_app, gigvault_auditor;
`;

/** The last index finds attempts without a user: the address was throttled or had no account yet. */
const SECURITY_LOGS = `
  CREATE TABLE security_logs (
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint,
    event_type text NOT NULL
      CONSTRAINT security_logs_event_type_length CHECK (char_length(event_type) BETWEEN 1 AND 100),
    ip_address inet,
    user_agent text CONSTRAINT security_logs_user_agent_length CHECK (char_length(user_agent) <= 512),
    success boolean NOT NULL,
    details jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    details_salt bytea DEFAULT uuid_send(gen_random_uuid()),
    details_hash bytea,
    CONSTRAINT security_logs_pkey PRIMARY KEY (id, created_at)
  ) PARTITION BY RANGE (created_at);
  COMMENT ON COLUMN security_logs.details_salt IS 'Random; deleted with address, user agent and details.';
  COMMENT ON COLUMN security_logs.details_hash IS 'The hash of erased details; see audit.details_hash().';

  CREATE INDEX idx_security_logs_user_id ON security_logs (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_event_type ON security_logs (event_type, created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_created_at ON security_logs (created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_ip_address ON security_logs (ip_address, created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_email_hash ON security_logs ((details ->> 'emailHash')) WHERE user_id IS NULL;

  ALTER TABLE security_logs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE security_logs FORCE ROW LEVEL SECURITY;
  CREATE POLICY security_logs_own_data_select ON security_logs
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY security_logs_admin_select ON security_logs
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY security_logs_definer_select ON security_logs
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY security_logs_definer_insert ON security_logs
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY security_logs_definer_delete ON security_logs
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY security_logs_auditor_select ON security_logs
    FOR SELECT TO gigvault_auditor USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY security_logs_auditor_update ON security_logs
    FOR UPDATE TO gigvault_auditor USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON security_logs TO gigvault_app, gigvault_admin;
  GRANT SELECT, INSERT, DELETE ON security_logs TO gigvault_definer;
  GRANT SELECT, UPDATE (ip_address, user_agent, details, details_salt, details_hash)
    ON security_logs TO gigvault_auditor;
`;

/**
 * Both audit sources read the columns for who and why from audit.actor, so no argument can override them. The server
 * limits and normalises the context, so nothing is truncated here, and the address is cast without a subtransaction.
 *
 * There are no CHECKs, because PostgreSQL reads their expressions again at every insert. Only three functions write
 * here, by the same rules: the table is audited or is the trigger's argument, the action is one of three, an unknown
 * kind of actor is 'database', and one UPDATE erases all values.
 *
 * Each half of values_salt has 122 random bits. A seal covers audit.values_hash(row), SHA-256 over the first half of
 * the salt, values and reason, and audit.address_hash(row), over the second half and the address. A hash is computed
 * while the values exist, and stored in their place when they are erased. So an earlier seal stays valid, and without
 * the salt the values cannot be guessed. Erasing an admin deletes the second half only.
 *
 * transaction_id is the first column of both logs: PostgreSQL evaluates defaults in the order of the columns, so a row
 * has its transaction's id before its own, which audit.begin_seal() relies on.
 */
const AUDIT_LOGS = `
  CREATE TABLE audit_logs (
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint,
    table_name text NOT NULL,
    record_id bigint,
    action text NOT NULL,
    old_values jsonb,
    new_values jsonb,
    ip_address inet,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_kind text NOT NULL DEFAULT 'database',
    actor_id bigint,
    request_id text,
    operation text DEFAULT 'login ' || session_user,
    reason text,
    values_salt bytea DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    values_hash bytea,
    address_hash bytea,
    CONSTRAINT audit_logs_pkey PRIMARY KEY (id, created_at)
  ) PARTITION BY RANGE (created_at);
  COMMENT ON COLUMN audit_logs.user_id IS 'The tenant whose row changed. actor_kind and actor_id say who changed it.';
  COMMENT ON COLUMN audit_logs.table_name IS 'The logical table, never a partition.';
  COMMENT ON COLUMN audit_logs.operation IS 'The requested operation; without a context, the login that ran the SQL.';
  COMMENT ON COLUMN audit_logs.values_salt IS
    'Random; deleted with the values, so that values_hash reveals nothing about them.';
  COMMENT ON COLUMN audit_logs.values_hash IS 'The hash of erased values; see audit.values_hash().';
  COMMENT ON COLUMN audit_logs.address_hash IS 'The hash of an erased address; see audit.address_hash().';

  CREATE INDEX idx_audit_logs_user_id ON audit_logs (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_audit_logs_table_name ON audit_logs (table_name, record_id, created_at DESC, id DESC);
  CREATE INDEX idx_audit_logs_created_at ON audit_logs (created_at DESC, id DESC);

  ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
  CREATE POLICY audit_logs_own_data_select ON audit_logs FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY audit_logs_admin_select ON audit_logs
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY audit_logs_auditor_select ON audit_logs
    FOR SELECT TO gigvault_auditor USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY audit_logs_auditor_insert ON audit_logs FOR INSERT TO gigvault_auditor WITH CHECK (true);
  CREATE POLICY audit_logs_auditor_update ON audit_logs
    FOR UPDATE TO gigvault_auditor USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON audit_logs TO gigvault_app, gigvault_admin;
  GRANT SELECT, INSERT,
    UPDATE (old_values, new_values, ip_address, reason, values_salt, values_hash, address_hash)
    ON audit_logs TO gigvault_auditor;
`;

/**
 * The columns for who and why of both audit sources. Only the signed context names an actor. The context of a read has
 * no audit source: a write that was taken for a read fails, and leaves no incomplete audit row.
 */
const ACTOR = `
  CREATE VIEW audit.actor AS
  SELECT
    c.tenant,
    CASE WHEN c.actor_kind IN ('user', 'admin', 'task') THEN c.actor_kind ELSE 'database' END AS actor_kind,
    c.actor_id,
    c.request_id,
    c.ip_address,
    coalesce(c.operation, 'login ' || session_user) AS operation,
    c.reason
  FROM (VALUES (1)) AS one LEFT JOIN (
    SELECT true AS is_signed, tenant,
           nullif(split_part(signed, E'\\x1f', 3), '') AS actor_kind,
           nullif(split_part(signed, E'\\x1f', 4), '')::bigint AS actor_id,
           nullif(split_part(signed, E'\\x1f', 5), '') AS audit_source,
           nullif(split_part(signed, E'\\x1f', 6), '') AS request_id,
           nullif(split_part(signed, E'\\x1f', 7), '')::inet AS ip_address,
           nullif(split_part(signed, E'\\x1f', 8), '') AS operation,
           nullif(split_part(signed, E'\\x1f', 9), '') AS reason
    FROM auth.context
  ) AS c ON true
  WHERE CASE WHEN c.is_signed AND c.audit_source IS NULL THEN audit.refuse_short_context() ELSE true END;
  COMMENT ON VIEW audit.actor IS 'Who acts and why, for audit_logs: the signed context, or else the login. One row.';
  GRANT SELECT ON audit.actor TO gigvault_auditor;
`;

/** The logs are not audited themselves, but their TRUNCATE is refused. */
const PARTITIONS = `
  SELECT audit.enable_partition('security_logs', 'security_logs'), audit.enable_partition('audit_logs', 'audit_logs');
  INSERT INTO app.partitioned_tables (table_name, key)
  VALUES ('security_logs', 'created_at'), ('audit_logs', 'created_at');
  SELECT app.create_default_partition('security_logs'), app.create_default_partition('audit_logs');
  SELECT app.create_partitions(2);
`;
