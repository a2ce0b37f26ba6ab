import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates webhooks (where users want events to be sent) and alert_deliveries (the events to send, by email or webhook).
 * A row of alert_deliveries is written in the transaction that finds the event, and is sent afterwards: a delivery is
 * neither lost with the worker that found it nor created twice.
 */
export class Webhooks implements MigrationInterface {
  readonly name = 'Webhooks1795305912000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(WEBHOOKS);
    await queryRunner.query(DELIVERIES);
    await createFunctions(queryRunner, 'webhooks', ['deliveries_due', 'purge_deliveries']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.purge_deliveries(), app.deliveries_due(integer);
      DROP TABLE alert_deliveries, webhooks;
      DELETE FROM audit.audited_tables WHERE table_name = 'webhooks';
    `);
  }
}

/**
 * The previous secret stays valid for a while after a rotation, so that no receiver has to change it in the same
 * second. A webhook whose receiver does not answer pauses by itself. That is no change of the webhook: paused_until and
 * timeouts leave no audit row and no new version.
 */
const WEBHOOKS = `
  CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhooks_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT webhooks_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    url text NOT NULL CONSTRAINT webhooks_url_length CHECK (char_length(url) BETWEEN 1 AND 2000),
    is_active boolean NOT NULL DEFAULT true,
    seal_key uuid NOT NULL,
    encrypted_secret text NOT NULL
      CONSTRAINT webhooks_encrypted_secret_length CHECK (char_length(encrypted_secret) BETWEEN 1 AND 1000),
    encrypted_previous_secret text
      CONSTRAINT webhooks_encrypted_previous_secret_length CHECK (char_length(encrypted_previous_secret) <= 1000),
    previous_secret_until timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    paused_until timestamptz,
    timeouts integer NOT NULL DEFAULT 0 CONSTRAINT webhooks_timeouts_positive CHECK (timeouts >= 0),
    CONSTRAINT webhooks_user_id_id_key UNIQUE (user_id, id)
  );
  COMMENT ON COLUMN webhooks.seal_key IS
    'Made by the server; bound into the ciphertexts, so none can be moved to another row.';
  COMMENT ON COLUMN webhooks.previous_secret_until IS
    'Until then deliveries are signed with the secret before, too.';
  COMMENT ON COLUMN webhooks.paused_until IS
    'Nothing is sent until then: the receiver did not answer in time, or asked for it.';
  COMMENT ON COLUMN webhooks.timeouts IS 'Attempts in a row that the receiver did not answer in time.';
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON webhooks
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(paused_until, timeouts);
  SELECT audit.enable('webhooks',
    secrets => '{encrypted_secret,encrypted_previous_secret}', ignored => '{paused_until,timeouts}');

  ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
  ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
  CREATE POLICY webhooks_own_data_select ON webhooks FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY webhooks_own_data_insert ON webhooks FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY webhooks_own_data_update ON webhooks FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY webhooks_own_data_delete ON webhooks FOR DELETE USING (user_id = (SELECT auth.uid()));
  GRANT SELECT, INSERT, DELETE ON webhooks TO gigvault_app;
  GRANT UPDATE (url, is_active, seal_key, encrypted_secret, encrypted_previous_secret, previous_secret_until,
    paused_until, timeouts) ON webhooks TO gigvault_app;
`;

const DELIVERIES = `
  CREATE TABLE alert_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alert_deliveries_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid()
      CONSTRAINT alert_deliveries_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    webhook_id bigint,
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    event_type text NOT NULL
      CONSTRAINT alert_deliveries_event_type_length CHECK (char_length(event_type) BETWEEN 1 AND 100),
    payload jsonb NOT NULL CONSTRAINT alert_deliveries_payload_size CHECK (octet_length(payload::text) <= 65536),
    status text NOT NULL DEFAULT 'pending'
      CONSTRAINT alert_deliveries_status_known CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0 CONSTRAINT alert_deliveries_attempts_positive CHECK (attempts >= 0),
    next_at timestamptz NOT NULL DEFAULT now(),
    lease_owner uuid,
    lease_until timestamptz,
    response_status integer,
    last_error text CONSTRAINT alert_deliveries_last_error_length CHECK (char_length(last_error) <= 1000),
    delivered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT alert_deliveries_webhook_id_fk FOREIGN KEY (user_id, webhook_id)
      REFERENCES webhooks (user_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN alert_deliveries.webhook_id IS 'NULL: by mail, to the address the user has then.';
  COMMENT ON COLUMN alert_deliveries.event_id IS 'Goes with every attempt, so that a receiver knows a repetition.';
  CREATE INDEX idx_alert_deliveries_webhook_id ON alert_deliveries (user_id, webhook_id, id DESC);
  CREATE INDEX idx_alert_deliveries_next_at ON alert_deliveries (next_at) WHERE status = 'pending';
  CREATE INDEX idx_alert_deliveries_created_at ON alert_deliveries (created_at);

  ALTER TABLE alert_deliveries ENABLE ROW LEVEL SECURITY;
  ALTER TABLE alert_deliveries FORCE ROW LEVEL SECURITY;
  CREATE POLICY alert_deliveries_own_data_select ON alert_deliveries FOR SELECT
    USING (user_id = (SELECT auth.uid()));
  CREATE POLICY alert_deliveries_own_data_insert ON alert_deliveries FOR INSERT
    WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY alert_deliveries_own_data_update ON alert_deliveries FOR UPDATE
    USING (user_id = (SELECT auth.uid()));
  CREATE POLICY alert_deliveries_definer_select ON alert_deliveries FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY alert_deliveries_definer_insert ON alert_deliveries FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY alert_deliveries_definer_delete ON alert_deliveries FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON alert_deliveries TO gigvault_app;
  GRANT UPDATE (status, attempts, next_at, lease_owner, lease_until, response_status, last_error, delivered_at)
    ON alert_deliveries TO gigvault_app;
  GRANT SELECT, INSERT, DELETE ON alert_deliveries TO gigvault_definer;
`;
