import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets a user leave: auth.erase_account() deletes all he has, audit.forget_user() takes what the two logs hold on him.
 * Rows of a log stay, with the user's number, time and table; their values, addresses and reasons go.
 *
 * A row of audit_logs carries a salt of 256 random bits. A seal covers audit.values_hash(row), SHA-256 over salt and
 * values: while the values are there it is computed, when they are forgotten it is kept in their place. So a seal made
 * before still holds afterwards, and without the salt nobody finds by trying what the values were.
 */
export class CreateErasure implements MigrationInterface {
  readonly name = 'CreateErasure1795305660000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SEALABLE);
    await queryRunner.query(FORGET);
    await queryRunner.query(ERASE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION auth.erase_account(bytea);
      DROP POLICY users_definer_delete ON users;
      REVOKE DELETE ON users FROM gigvault_definer;
      DROP FUNCTION audit.forget_user(bigint, bytea, boolean);
      DROP FUNCTION audit.values_hash(audit_logs);
      DROP INDEX idx_security_logs_email_hash;
      DROP POLICY security_logs_auditor_update ON security_logs;
      DROP POLICY security_logs_auditor_select ON security_logs;
      DROP POLICY audit_logs_auditor_update ON audit_logs;
      DROP POLICY audit_logs_auditor_select ON audit_logs;
      REVOKE SELECT, UPDATE (ip_address, user_agent, details) ON security_logs FROM gigvault_auditor;
      REVOKE SELECT, UPDATE (old_values, new_values, ip_address, reason, values_salt, values_hash) ON audit_logs FROM gigvault_auditor;
      ALTER TABLE audit_logs DROP COLUMN values_salt, DROP COLUMN values_hash;
      SET LOCAL ROLE gigvault_definer;
      REVOKE EXECUTE ON FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) FROM gigvault_auditor;
      SET LOCAL ROLE gigvault_owner;
    `);
  }
}

/** Two UUIDs, because one has 122 random bits only. A line feed never stands in the text of jsonb, so it parts the two. */
const SEALABLE = `
  ALTER TABLE audit_logs
    ADD COLUMN values_salt bytea DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    ADD COLUMN values_hash bytea,
    ADD CONSTRAINT audit_logs_values_forgotten
      CHECK (values_hash IS NULL OR (old_values IS NULL AND new_values IS NULL AND values_salt IS NULL));
  COMMENT ON COLUMN audit_logs.values_salt IS 'Random; goes with the values, so that values_hash tells nothing of them.';
  COMMENT ON COLUMN audit_logs.values_hash IS 'Stands for values that were forgotten; see audit.values_hash().';

  CREATE FUNCTION audit.values_hash(log_row audit_logs) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT coalesce(log_row.values_hash, sha256(log_row.values_salt || convert_to(
        coalesce(log_row.old_values::text, '') || E'\\n' || coalesce(log_row.new_values::text, ''), 'UTF8')))
    $$;
  COMMENT ON FUNCTION audit.values_hash(audit_logs) IS 'What a seal covers of the values of a row: the same before and after they are forgotten.';
`;

const FORGET = `
  CREATE POLICY audit_logs_auditor_select ON audit_logs FOR SELECT TO gigvault_auditor USING (true);
  CREATE POLICY audit_logs_auditor_update ON audit_logs FOR UPDATE TO gigvault_auditor USING (true);
  CREATE POLICY security_logs_auditor_select ON security_logs FOR SELECT TO gigvault_auditor USING (true);
  CREATE POLICY security_logs_auditor_update ON security_logs FOR UPDATE TO gigvault_auditor USING (true);
  GRANT SELECT, UPDATE (old_values, new_values, ip_address, reason, values_salt, values_hash) ON audit_logs TO gigvault_auditor;
  GRANT SELECT, UPDATE (ip_address, user_agent, details) ON security_logs TO gigvault_auditor;
  -- Tries of an address are kept without a user when it was throttled or had no account yet.
  CREATE INDEX idx_security_logs_email_hash ON security_logs ((details ->> 'emailHash')) WHERE user_id IS NULL;
  SET LOCAL ROLE gigvault_definer;
  GRANT EXECUTE ON FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) TO gigvault_auditor;
  SET LOCAL ROLE gigvault_owner;

  CREATE FUNCTION audit.forget_user(user_id bigint, email_hash bytea, was_admin boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      changes bigint;
      events bigint;
      result jsonb;
    BEGIN
      IF forget_user.user_id IS NULL THEN
        RAISE EXCEPTION 'whom to forget?' USING ERRCODE = 'invalid_parameter_value';
      END IF;
      UPDATE public.audit_logs a
      SET values_hash = audit.values_hash(a), values_salt = NULL, old_values = NULL, new_values = NULL, ip_address = NULL, reason = NULL
      WHERE a.user_id = forget_user.user_id AND a.values_hash IS NULL;
      GET DIAGNOSTICS changes = ROW_COUNT;
      IF was_admin THEN
        -- What he did to the rows of others is theirs; where he sat is his.
        UPDATE public.audit_logs a SET ip_address = NULL WHERE a.actor_id = forget_user.user_id AND a.ip_address IS NOT NULL;
      END IF;
      UPDATE public.security_logs s SET ip_address = NULL, user_agent = NULL, details = NULL
      WHERE s.user_id = forget_user.user_id
         OR (s.user_id IS NULL AND s.details ->> 'emailHash' = encode(forget_user.email_hash, 'hex'));
      GET DIAGNOSTICS events = ROW_COUNT;
      SELECT jsonb_build_object('auditRows', changes, 'securityEvents', events,
               'deletedRows', coalesce(jsonb_object_agg(d.table_name, d.rows), '{}'))
      INTO result
      FROM (SELECT a.table_name, count(*) AS rows FROM public.audit_logs a
            WHERE a.user_id = forget_user.user_id AND a.action = 'DELETE' AND a.transaction_id = pg_current_xact_id()
            GROUP BY a.table_name) AS d;
      PERFORM auth.log_event('audit.forgotten', forget_user.user_id, true, NULL, NULL, result);
      RETURN result;
    END $$;
  COMMENT ON FUNCTION audit.forget_user(bigint, bytea, boolean) IS
    'Takes the values, addresses, agents and reasons out of all rows of both logs that are about a user; leaves the event audit.forgotten. Returns how many rows of the logs, and how many rows this transaction deleted of him.';
  ALTER FUNCTION audit.values_hash(audit_logs) OWNER TO gigvault_auditor;
  ALTER FUNCTION audit.forget_user(bigint, bytea, boolean) OWNER TO gigvault_auditor;
  SET LOCAL ROLE gigvault_auditor;
  GRANT EXECUTE ON FUNCTION audit.forget_user(bigint, bytea, boolean) TO gigvault_definer;
  SET LOCAL ROLE gigvault_owner;
`;

/** The foreign keys to users cascade, so a table that is new tomorrow is reached as well. */
const ERASE = `
  CREATE POLICY users_definer_delete ON users FOR DELETE TO gigvault_definer USING (true);
  GRANT DELETE ON users TO gigvault_definer;

  CREATE FUNCTION auth.erase_account(email_hash bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      me CONSTANT bigint := auth.uid();
      was_admin boolean;
    BEGIN
      IF me IS NULL THEN
        RAISE EXCEPTION 'no tenant: an account is erased by its owner' USING ERRCODE = 'insufficient_privilege';
      END IF;
      -- In one order, so that two admins who leave at once do not both find the other still there.
      PERFORM FROM public.users u WHERE u.role = 'admin' ORDER BY u.id FOR UPDATE;
      SELECT u.role = 'admin' INTO was_admin FROM public.users u WHERE u.id = me FOR UPDATE;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      IF was_admin AND NOT EXISTS (SELECT FROM public.users u WHERE u.role = 'admin' AND u.is_active AND u.id <> me) THEN
        RETURN jsonb_build_object('refused', 'last_admin');
      END IF;
      DELETE FROM public.mail_outbox o WHERE o.recipient_hash = email_hash;
      DELETE FROM public.users u WHERE u.id = me;
      RETURN audit.forget_user(me, email_hash, was_admin);
    END $$;
  COMMENT ON FUNCTION auth.erase_account(bytea) IS
    'Deletes the account of the tenant with all that hangs on it and forgets him in the logs. NULL: it is gone already; refused: the last admin stays.';
  GRANT EXECUTE ON FUNCTION auth.erase_account(bytea) TO gigvault_app;
  ALTER FUNCTION auth.erase_account(bytea) OWNER TO gigvault_definer;
`;
