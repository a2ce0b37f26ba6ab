import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Divides the worker between tenants: of what is due, each tenant's first item comes before anybody's second. A webhook
 * whose receiver does not answer pauses by itself, and a saved search keeps the reason why it failed.
 */
export class ShareWorker implements MigrationInterface {
  readonly name = 'ShareWorker1795305790000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(PAUSES);
    await queryRunner.query(SEARCH_ERRORS);
    await queryRunner.query(functions(inTurn));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(functions(byAge));
    await queryRunner.query(`
      DROP TRIGGER touch_row ON webhooks;
      CREATE TRIGGER touch_row BEFORE UPDATE ON webhooks FOR EACH ROW EXECUTE FUNCTION app.touch_row();
      UPDATE audit.audited_tables SET ignored_columns = array_remove(array_remove(ignored_columns, 'paused_until'), 'timeouts')
        WHERE table_name = 'webhooks';
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'last_error') WHERE table_name = 'saved_searches';
      ALTER TABLE webhooks DROP COLUMN paused_until, DROP COLUMN timeouts;
      ALTER TABLE saved_searches DROP COLUMN last_error;
    `);
  }
}

/** How its receiver fares is no change of a webhook: no audit row, no new version. */
const PAUSES = `
  ALTER TABLE webhooks
    ADD COLUMN paused_until timestamptz,
    ADD COLUMN timeouts integer NOT NULL DEFAULT 0 CONSTRAINT webhooks_timeouts_positive CHECK (timeouts >= 0);
  COMMENT ON COLUMN webhooks.paused_until IS 'Nothing is sent until then: the receiver did not answer in time, or asked for it.';
  COMMENT ON COLUMN webhooks.timeouts IS 'Attempts in a row that the receiver did not answer in time.';
  GRANT UPDATE (paused_until, timeouts) ON webhooks TO gigvault_app;
  UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{paused_until,timeouts}' WHERE table_name = 'webhooks';
  DROP TRIGGER touch_row ON webhooks;
  CREATE TRIGGER touch_row BEFORE UPDATE ON webhooks FOR EACH ROW EXECUTE FUNCTION app.touch_row(paused_until, timeouts);
`;

const SEARCH_ERRORS = `
  ALTER TABLE saved_searches
    ADD COLUMN last_error text CONSTRAINT saved_searches_last_error_length CHECK (char_length(last_error) <= 1000);
  COMMENT ON COLUMN saved_searches.last_error IS 'Why its latest run failed; NULL when it succeeded.';
  GRANT UPDATE (last_error) ON saved_searches TO gigvault_app;
  UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{last_error}' WHERE table_name = 'saved_searches';
`;

/** Each tenant's oldest first, then each one's second, and so on. */
function inTurn(tenant: string, age: string): string {
  return `ORDER BY row_number() OVER (PARTITION BY ${tenant} ORDER BY ${age}), ${age}`;
}

/** As it was. */
function byAge(_tenant: string, age: string): string {
  return `ORDER BY ${age}`;
}

/** The functions belong to gigvault_definer. */
function functions(order: (tenant: string, age: string) => string): string {
  return `
    SET LOCAL ROLE gigvault_definer;
    CREATE OR REPLACE FUNCTION app.alerts_due(take integer) RETURNS TABLE (user_id bigint, delivery_id bigint)
      LANGUAGE sql STABLE SECURITY DEFINER
      SET search_path = pg_catalog
      AS $$
      SELECT d.user_id, d.id FROM public.alert_deliveries d JOIN public.users u ON u.id = d.user_id
      WHERE d.status = 'pending' AND d.next_at <= now() AND (d.lease_until IS NULL OR d.lease_until < now()) AND u.is_active
      ${order('d.user_id', 'd.next_at')} LIMIT take
    $$;

    CREATE OR REPLACE FUNCTION app.syncs_due(take integer) RETURNS TABLE (user_id bigint, sync_id bigint)
      LANGUAGE sql STABLE SECURITY DEFINER
      SET search_path = pg_catalog
      AS $$
      SELECT s.user_id, s.id FROM public.syncs s
      JOIN public.user_tokens t ON t.user_id = s.user_id AND t.id = s.token_id
      JOIN public.users u ON u.id = s.user_id
      WHERE s.next_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now())
        AND t.status <> 'reconnect_needed' AND u.is_active
      ${order('s.user_id', 's.next_at')} LIMIT take
    $$;

    CREATE OR REPLACE FUNCTION app.connections_due(ahead interval, keep_alive interval, take integer)
      RETURNS TABLE (user_id bigint, token_id bigint)
      LANGUAGE sql STABLE SECURITY DEFINER
      SET search_path = pg_catalog
      AS $$
      SELECT t.user_id, t.id FROM public.user_tokens t JOIN public.users u ON u.id = t.user_id
      WHERE t.status <> 'reconnect_needed' AND u.is_active
        AND (t.expires_at < now() + ahead OR coalesce(t.last_refreshed_at, t.created_at) < now() - keep_alive)
        AND (t.next_refresh_at IS NULL OR t.next_refresh_at <= now())
        AND (t.refresh_until IS NULL OR t.refresh_until < now())
      ${order('t.user_id', 't.expires_at')} LIMIT take
    $$;
    SET LOCAL ROLE gigvault_owner;
  `;
}
