import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes webhooks (where a user wants to be told) and alert_deliveries (what he is to be told, by mail or webhook). A row
 * of alert_deliveries is made in the transaction that takes what it tells, and sent afterwards: an alert is neither lost
 * with the worker that took it nor taken twice.
 */
export class CreateAlerts implements MigrationInterface {
  readonly name = 'CreateAlerts1795305701000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(WEBHOOKS);
    await queryRunner.query(DELIVERIES);
    await queryRunner.query(FUNCTIONS);
    await queryRunner.query(LOST_CONNECTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.report_lost_connections(integer);
      DROP FUNCTION app.purge_alert_deliveries();
      DROP FUNCTION app.alerts_due(integer);
      ALTER TABLE saved_searches DROP COLUMN webhook_id;
      DROP TABLE alert_deliveries;
      DROP TABLE webhooks;
      DELETE FROM audit.audited_tables WHERE table_name = 'webhooks';
    `);
    await queryRunner.query(CONNECTIONS_TO_REPORT);
  }
}

/** The secret before stays good for a while after a rotation, so that no receiver has to change it in the same second. */
const WEBHOOKS = `
  CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhooks_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT webhooks_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    url text NOT NULL CONSTRAINT webhooks_url_length CHECK (char_length(url) BETWEEN 1 AND 2000),
    is_active boolean NOT NULL DEFAULT true,
    seal_key uuid NOT NULL,
    encrypted_secret text NOT NULL CONSTRAINT webhooks_encrypted_secret_length CHECK (char_length(encrypted_secret) BETWEEN 1 AND 1000),
    encrypted_previous_secret text CONSTRAINT webhooks_encrypted_previous_secret_length CHECK (char_length(encrypted_previous_secret) <= 1000),
    previous_secret_until timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhooks_user_id_id_key UNIQUE (user_id, id)
  );
  COMMENT ON COLUMN webhooks.seal_key IS 'Made by the server; bound into the ciphertexts, so none can be moved to another row.';
  COMMENT ON COLUMN webhooks.previous_secret_until IS 'Until then deliveries are signed with the secret before, too.';
  CREATE TRIGGER touch_row BEFORE UPDATE ON webhooks FOR EACH ROW EXECUTE FUNCTION app.touch_row();
  SELECT audit.watch('webhooks', secrets => '{encrypted_secret,encrypted_previous_secret}');

  ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
  ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
  CREATE POLICY webhooks_own_data_select ON webhooks FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY webhooks_own_data_insert ON webhooks FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY webhooks_own_data_update ON webhooks FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY webhooks_own_data_delete ON webhooks FOR DELETE USING (user_id = (SELECT auth.uid()));
  GRANT SELECT, INSERT, DELETE ON webhooks TO gigvault_app;
  GRANT UPDATE (url, is_active, seal_key, encrypted_secret, encrypted_previous_secret, previous_secret_until) ON webhooks TO gigvault_app;

  ALTER TABLE saved_searches
    ADD COLUMN webhook_id bigint,
    ADD CONSTRAINT saved_searches_webhook_id_fk FOREIGN KEY (user_id, webhook_id) REFERENCES webhooks (user_id, id)
      ON DELETE SET NULL (webhook_id);
  COMMENT ON COLUMN saved_searches.webhook_id IS 'Where new matches are sent; NULL: they are mailed.';
  CREATE INDEX idx_saved_searches_webhook_id ON saved_searches (user_id, webhook_id);
  GRANT UPDATE (webhook_id) ON saved_searches TO gigvault_app;
`;

const DELIVERIES = `
  CREATE TABLE alert_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alert_deliveries_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT alert_deliveries_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    webhook_id bigint,
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    event_type text NOT NULL CONSTRAINT alert_deliveries_event_type_length CHECK (char_length(event_type) BETWEEN 1 AND 100),
    payload jsonb NOT NULL CONSTRAINT alert_deliveries_payload_size CHECK (octet_length(payload::text) <= 65536),
    status text NOT NULL DEFAULT 'pending' CONSTRAINT alert_deliveries_status_known CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0 CONSTRAINT alert_deliveries_attempts_positive CHECK (attempts >= 0),
    next_at timestamptz NOT NULL DEFAULT now(),
    lease_owner uuid,
    lease_until timestamptz,
    response_status integer,
    last_error text CONSTRAINT alert_deliveries_last_error_length CHECK (char_length(last_error) <= 1000),
    delivered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT alert_deliveries_webhook_id_fk FOREIGN KEY (user_id, webhook_id) REFERENCES webhooks (user_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN alert_deliveries.webhook_id IS 'NULL: by mail, to the address the user has then.';
  COMMENT ON COLUMN alert_deliveries.event_id IS 'Goes with every attempt, so that a receiver knows a repetition.';
  CREATE INDEX idx_alert_deliveries_webhook_id ON alert_deliveries (user_id, webhook_id, id DESC);
  CREATE INDEX idx_alert_deliveries_next_at ON alert_deliveries (next_at) WHERE status = 'pending';
  CREATE INDEX idx_alert_deliveries_created_at ON alert_deliveries (created_at);

  ALTER TABLE alert_deliveries ENABLE ROW LEVEL SECURITY;
  ALTER TABLE alert_deliveries FORCE ROW LEVEL SECURITY;
  CREATE POLICY alert_deliveries_own_data_select ON alert_deliveries FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY alert_deliveries_own_data_insert ON alert_deliveries FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY alert_deliveries_own_data_update ON alert_deliveries FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY alert_deliveries_definer_select ON alert_deliveries FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY alert_deliveries_definer_insert ON alert_deliveries FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY alert_deliveries_definer_delete ON alert_deliveries FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON alert_deliveries TO gigvault_app;
  GRANT UPDATE (status, attempts, next_at, lease_owner, lease_until, response_status, last_error, delivered_at)
    ON alert_deliveries TO gigvault_app;
  GRANT SELECT, INSERT, DELETE ON alert_deliveries TO gigvault_definer;
`;

const FUNCTIONS = `
  CREATE FUNCTION app.alerts_due(take integer) RETURNS TABLE (user_id bigint, delivery_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT d.user_id, d.id FROM public.alert_deliveries d JOIN public.users u ON u.id = d.user_id
      WHERE d.status = 'pending' AND d.next_at <= now() AND (d.lease_until IS NULL OR d.lease_until < now()) AND u.is_active
      ORDER BY d.next_at LIMIT take
    $$;
  COMMENT ON FUNCTION app.alerts_due(integer) IS 'Alerts to send now.';

  CREATE FUNCTION app.purge_alert_deliveries() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (
        DELETE FROM public.alert_deliveries WHERE status <> 'pending' AND created_at < now() - interval '30 days' RETURNING 1
      )
      SELECT count(*) FROM gone
    $$;
  COMMENT ON FUNCTION app.purge_alert_deliveries() IS 'Removes alerts older than 30 days that are over; returns how many.';

  GRANT EXECUTE ON FUNCTION app.alerts_due(integer), app.purge_alert_deliveries() TO gigvault_worker;
  ALTER FUNCTION app.alerts_due(integer) OWNER TO gigvault_definer;
  ALTER FUNCTION app.purge_alert_deliveries() OWNER TO gigvault_definer;
`;

/** Marked and recorded in one statement: the letter is sent from its record, so it is not lost with the worker. */
const LOST_CONNECTIONS = `
  DROP FUNCTION app.connections_to_report(integer);
  CREATE FUNCTION app.report_lost_connections(take integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH reported AS (
        UPDATE public.user_tokens t SET reconnect_reported_at = now()
        WHERE t.id IN (
          SELECT i.id FROM public.user_tokens i
          WHERE i.status = 'reconnect_needed' AND i.reconnect_reported_at IS NULL ORDER BY i.id LIMIT take FOR UPDATE SKIP LOCKED
        )
        RETURNING t.user_id, t.provider
      ), recorded AS (
        INSERT INTO public.alert_deliveries (user_id, event_type, payload)
        SELECT r.user_id, 'connection.reconnect_needed', jsonb_build_object('provider', r.provider) FROM reported r
        RETURNING 1
      )
      SELECT count(*) FROM recorded
    $$;
  COMMENT ON FUNCTION app.report_lost_connections(integer) IS
    'Records a letter to each owner of a connection that only he can mend and who was not told; returns how many.';
  GRANT EXECUTE ON FUNCTION app.report_lost_connections(integer) TO gigvault_worker;
  ALTER FUNCTION app.report_lost_connections(integer) OWNER TO gigvault_definer;
`;

/** As it was. */
const CONNECTIONS_TO_REPORT = `
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
  GRANT EXECUTE ON FUNCTION app.connections_to_report(integer) TO gigvault_worker;
  ALTER FUNCTION app.connections_to_report(integer) OWNER TO gigvault_definer;
`;
