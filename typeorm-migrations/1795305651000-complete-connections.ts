import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Gives user_tokens what a connection needs to heal itself: states that say what is wrong, when to try again, and whether
 * its owner was told. The worker only learns which connections are due; it then works for their tenants through the
 * tenant's own gate, under row security.
 */
export class CompleteConnections implements MigrationInterface {
  readonly name = 'CompleteConnections1795305651000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(DUE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.has_connections_to_report();
      DROP FUNCTION app.connections_to_report(integer);
      DROP FUNCTION app.connections_due(interval, interval, integer);
      DROP POLICY user_tokens_definer_select ON user_tokens;
      DROP POLICY user_tokens_definer_update ON user_tokens;
      REVOKE SELECT ON user_tokens FROM gigvault_definer;
      REVOKE UPDATE (reconnect_reported_at) ON user_tokens FROM gigvault_definer;
      DROP INDEX idx_user_tokens_expires_at;
      UPDATE audit.audited_tables SET time_columns = array_remove(array_remove(time_columns, 'next_refresh_at'), 'reconnect_reported_at')
        WHERE table_name = 'user_tokens';
      ALTER TABLE user_tokens DROP COLUMN next_refresh_at, DROP COLUMN failed_refreshes, DROP COLUMN reconnect_reported_at,
        DROP CONSTRAINT user_tokens_status_known,
        ADD CONSTRAINT user_tokens_status_known CHECK (status IN ('active', 'expired', 'revoked', 'failed')) NOT VALID;
    `);
  }
}

/** Everything an UPDATE may set is in the grants by column; the audit's list of time columns was made with the table. */
const COLUMNS = `
  ALTER TABLE user_tokens
    ADD COLUMN next_refresh_at timestamptz,
    ADD COLUMN failed_refreshes integer NOT NULL DEFAULT 0 CONSTRAINT user_tokens_failed_refreshes_positive CHECK (failed_refreshes >= 0),
    ADD COLUMN reconnect_reported_at timestamptz,
    DROP CONSTRAINT user_tokens_status_known,
    ADD CONSTRAINT user_tokens_status_known CHECK (status IN ('active', 'failing', 'reconnect_needed'));
  COMMENT ON COLUMN user_tokens.status IS
    'failing: the provider could not be reached, it is tried again; reconnect_needed: it refused for good, only its owner can help.';
  COMMENT ON COLUMN user_tokens.next_refresh_at IS 'After a failure, not to be tried before.';
  COMMENT ON COLUMN user_tokens.reconnect_reported_at IS 'When the owner was mailed that he must connect anew.';
  CREATE INDEX idx_user_tokens_expires_at ON user_tokens (expires_at) WHERE status <> 'reconnect_needed';
  UPDATE audit.audited_tables SET time_columns = time_columns || '{next_refresh_at,reconnect_reported_at}' WHERE table_name = 'user_tokens';
  GRANT UPDATE (next_refresh_at, failed_refreshes, reconnect_reported_at) ON user_tokens TO gigvault_app;
`;

const DUE = `
  CREATE POLICY user_tokens_definer_select ON user_tokens FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY user_tokens_definer_update ON user_tokens FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT ON user_tokens TO gigvault_definer;
  GRANT UPDATE (reconnect_reported_at) ON user_tokens TO gigvault_definer;

  CREATE FUNCTION app.connections_due(ahead interval, keep_alive interval, take integer)
    RETURNS TABLE (user_id bigint, token_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT t.user_id, t.id FROM public.user_tokens t JOIN public.users u ON u.id = t.user_id
      WHERE t.status <> 'reconnect_needed' AND u.is_active
        AND (t.expires_at < now() + ahead OR coalesce(t.last_refreshed_at, t.created_at) < now() - keep_alive)
        AND (t.next_refresh_at IS NULL OR t.next_refresh_at <= now())
        AND (t.refresh_until IS NULL OR t.refresh_until < now())
      ORDER BY t.expires_at LIMIT take
    $$;
  COMMENT ON FUNCTION app.connections_due(interval, interval, integer) IS
    'Connections to refresh: those that expire within ahead, or were idle for keep_alive.';

  CREATE FUNCTION app.connections_to_report(take integer) RETURNS TABLE (user_id bigint, token_id bigint, provider text, email text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH reported AS (
        UPDATE public.user_tokens t SET reconnect_reported_at = now()
        WHERE t.id IN (
          SELECT i.id FROM public.user_tokens i
          WHERE i.status = 'reconnect_needed' AND i.reconnect_reported_at IS NULL ORDER BY i.id LIMIT take FOR UPDATE SKIP LOCKED
        )
        RETURNING t.user_id, t.id, t.provider
      )
      SELECT r.user_id, r.id, r.provider, u.email FROM reported r JOIN public.users u ON u.id = r.user_id WHERE u.is_active
    $$;
  COMMENT ON FUNCTION app.connections_to_report(integer) IS
    'Takes connections whose owners must connect anew and were not told; each is given out once.';

  CREATE FUNCTION app.has_connections_to_report() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT EXISTS (SELECT FROM public.user_tokens t WHERE t.status = 'reconnect_needed' AND t.reconnect_reported_at IS NULL)
    $$;
  COMMENT ON FUNCTION app.has_connections_to_report() IS 'Whether app.connections_to_report() would give any.';

  GRANT EXECUTE ON FUNCTION app.connections_due(interval, interval, integer), app.has_connections_to_report(),
    app.connections_to_report(integer) TO gigvault_worker;
  ALTER FUNCTION app.has_connections_to_report() OWNER TO gigvault_definer;
  ALTER FUNCTION app.connections_due(interval, interval, integer) OWNER TO gigvault_definer;
  ALTER FUNCTION app.connections_to_report(integer) OWNER TO gigvault_definer;
`;
