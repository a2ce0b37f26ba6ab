import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates access_alerts, the detected unusual sign-ins, and app.purge_security_logs(). The worker cannot read
 * security_logs: it calls app.detect_suspicious_access(), which reads them and creates alerts.
 *
 * An offline installation has no map of addresses. Two addresses count as far apart when their networks differ: /16 for
 * IPv4 and /32 for IPv6, about what one provider has in one region. An IPv4 and an IPv6 address are not compared,
 * because one device has both.
 */
export class AccessAlerts implements MigrationInterface {
  readonly name = 'AccessAlerts1795305904000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await createFunctions(queryRunner, 'access-alerts', [
      ...['network_of', 'detect_suspicious_access', 'purge_security_logs'],
      ...['access_alerts_to_email', 'mark_access_alert_emailed'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        app.purge_security_logs(integer),
        app.mark_access_alert_emailed(bigint),
        app.access_alerts_to_email(integer),
        app.detect_suspicious_access(timestamptz),
        app.network_of(inet);
      DROP TABLE access_alerts;
    `);
  }
}

const TABLE = `
  CREATE TABLE access_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT access_alerts_pkey PRIMARY KEY,
    user_id bigint CONSTRAINT access_alerts_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT access_alerts_kind_known
      CHECK (kind IN ('failure_burst', 'address_sweep', 'new_device', 'far_addresses')),
    ip_address inet,
    event_id bigint NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    mailed_at timestamptz,
    dismissed_at timestamptz,
    CONSTRAINT access_alerts_event_once UNIQUE (kind, event_id)
  );
  COMMENT ON TABLE access_alerts IS 'Unusual sign-ins: one alert for each event and kind.';
  COMMENT ON COLUMN access_alerts.event_id IS
    'The row of security_logs that caused it. No foreign key, because logs have their own retention.';
  CREATE INDEX idx_access_alerts_user_id ON access_alerts (user_id, kind, created_at DESC);
  CREATE INDEX idx_access_alerts_created_at ON access_alerts (created_at DESC, id DESC);
  CREATE INDEX idx_access_alerts_to_email ON access_alerts (id) WHERE mailed_at IS NULL;

  ALTER TABLE access_alerts ENABLE ROW LEVEL SECURITY;
  ALTER TABLE access_alerts FORCE ROW LEVEL SECURITY;
  CREATE POLICY access_alerts_own_data_select ON access_alerts
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY access_alerts_admin_select ON access_alerts
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY access_alerts_admin_update ON access_alerts
    FOR UPDATE TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY access_alerts_definer_select ON access_alerts
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY access_alerts_definer_insert ON access_alerts
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY access_alerts_definer_update ON access_alerts
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY access_alerts_definer_delete ON access_alerts
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON access_alerts TO gigvault_app, gigvault_admin;
  GRANT UPDATE (dismissed_at) ON access_alerts TO gigvault_admin;
  GRANT SELECT, INSERT, DELETE ON access_alerts TO gigvault_definer;
  GRANT UPDATE (mailed_at) ON access_alerts TO gigvault_definer;
`;
