import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the two logs, security_logs and audit_logs, range-partitioned by created_at, and auth.log_event().
 *
 * Neither has a foreign key: a log outlives what it tells of. `user_id` is the tenant the row is about and may be NULL.
 * Both are written by functions only. The columns of audit_logs that tell who and why have the transaction's context as
 * their defaults, so both pens of the audit write them alike and no argument can claim otherwise.
 *
 * The key is (id, created_at) because a partitioned table's key must contain the partition key; the id alone is still
 * unique, nobody can set it (GENERATED ALWAYS).
 */
export class CreateLogs implements MigrationInterface {
  readonly name = 'CreateLogs1795305602000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SECURITY_LOGS);
    await queryRunner.query(AUDIT_LOGS);
    await queryRunner.query(LOG_EVENT);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb);
      DROP TABLE audit_logs;
      DROP TABLE security_logs;
    `);
  }
}

const SECURITY_LOGS = `
  CREATE TABLE security_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint,
    event_type text NOT NULL CONSTRAINT security_logs_event_type_length CHECK (char_length(event_type) BETWEEN 1 AND 100),
    ip_address inet,
    user_agent text CONSTRAINT security_logs_user_agent_length CHECK (char_length(user_agent) <= 512),
    success boolean NOT NULL,
    details jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT security_logs_pkey PRIMARY KEY (id, created_at)
  ) PARTITION BY RANGE (created_at);

  CREATE INDEX idx_security_logs_user_id ON security_logs (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_event_type ON security_logs (event_type, created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_created_at ON security_logs (created_at DESC, id DESC);
  CREATE INDEX idx_security_logs_ip_address ON security_logs (ip_address, created_at DESC, id DESC);

  ALTER TABLE security_logs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE security_logs FORCE ROW LEVEL SECURITY;
  CREATE POLICY security_logs_own_data_select ON security_logs FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY security_logs_admin_select ON security_logs FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY security_logs_definer_insert ON security_logs FOR INSERT TO gigvault_definer WITH CHECK (true);
  GRANT SELECT ON security_logs TO gigvault_app, gigvault_admin;
  GRANT INSERT ON security_logs TO gigvault_definer;
`;

const AUDIT_LOGS = `
  CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint,
    table_name text NOT NULL CONSTRAINT audit_logs_table_name_length CHECK (char_length(table_name) BETWEEN 1 AND 100),
    record_id bigint,
    action text NOT NULL CONSTRAINT audit_logs_action_known CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    old_values jsonb,
    new_values jsonb,
    ip_address inet DEFAULT app.to_inet(current_setting('app.ip', true)),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_kind text NOT NULL DEFAULT coalesce(nullif(current_setting('app.actor_kind', true), ''), 'database')
      CONSTRAINT audit_logs_actor_kind_known CHECK (actor_kind IN ('user', 'admin', 'task', 'database')),
    actor_id bigint DEFAULT nullif(current_setting('app.actor_id', true), '')::bigint,
    request_id text DEFAULT nullif(left(current_setting('app.request_id', true), 200), ''),
    operation text DEFAULT coalesce(nullif(left(current_setting('app.operation', true), 200), ''), 'login ' || session_user),
    reason text DEFAULT nullif(left(current_setting('app.reason', true), 1000), ''),
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT audit_logs_pkey PRIMARY KEY (id, created_at)
  ) PARTITION BY RANGE (created_at);
  COMMENT ON COLUMN audit_logs.user_id IS 'The tenant whose row changed; who changed it is actor_kind and actor_id.';
  COMMENT ON COLUMN audit_logs.table_name IS 'The logical table, never a partition.';
  COMMENT ON COLUMN audit_logs.operation IS 'What was asked for; without a context, the login that ran the SQL.';

  CREATE INDEX idx_audit_logs_user_id ON audit_logs (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_audit_logs_table_name ON audit_logs (table_name, record_id, created_at DESC, id DESC);
  CREATE INDEX idx_audit_logs_created_at ON audit_logs (created_at DESC, id DESC);

  ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
  CREATE POLICY audit_logs_own_data_select ON audit_logs FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY audit_logs_admin_select ON audit_logs FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY audit_logs_auditor_insert ON audit_logs FOR INSERT TO gigvault_auditor WITH CHECK (true);
  GRANT SELECT ON audit_logs TO gigvault_app, gigvault_admin;
  GRANT INSERT ON audit_logs TO gigvault_auditor;
`;

/** Logging must never fail the request it logs: a bad address becomes NULL, what is too long is cut. */
const LOG_EVENT = `
  CREATE FUNCTION auth.log_event(
    event_type text, user_id bigint, success boolean, ip text, user_agent text, details jsonb
  ) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      IF session_user = 'gigvault_app' AND log_event.user_id IS DISTINCT FROM auth.uid() THEN
        RAISE EXCEPTION 'a tenant logs events of his own only' USING ERRCODE = 'insufficient_privilege';
      END IF;
      INSERT INTO public.security_logs (event_type, user_id, success, ip_address, user_agent, details)
      VALUES (
        left(log_event.event_type, 100), log_event.user_id, log_event.success, app.to_inet(log_event.ip),
        left(log_event.user_agent, 512),
        CASE WHEN octet_length(log_event.details::text) > 8192
             THEN jsonb_build_object('truncated', left(log_event.details::text, 4000))
             ELSE log_event.details END
      );
    END $$;
  COMMENT ON FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) IS
    'Writes a row of security_logs. Never fails on an address or a length; gigvault_app logs for its own tenant only.';
  GRANT EXECUTE ON FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) TO
    gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer;
  ALTER FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) OWNER TO gigvault_definer;
`;
