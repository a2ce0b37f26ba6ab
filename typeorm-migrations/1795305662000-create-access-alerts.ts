import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes access_alerts, what the watch over sign-ins found, and app.purge_security_logs(). The worker sees no row of
 * security_logs: it asks app.watch_access(), which reads them and leaves alerts.
 *
 * There is no map of addresses in an offline installation. Two addresses count as far apart when their networks differ,
 * IPv4 by /16 and IPv6 by /32, about what one provider has in one region; an IPv4 and an IPv6 address are not compared,
 * for one device has both.
 */
export class CreateAccessAlerts implements MigrationInterface {
  readonly name = 'CreateAccessAlerts1795305662000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(NETWORK);
    await queryRunner.query(WATCH);
    await queryRunner.query(MAIL);
    await queryRunner.query(OWNERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.purge_security_logs(integer);
      DROP FUNCTION app.mark_access_alert_mailed(bigint);
      DROP FUNCTION app.access_alerts_to_mail(integer);
      DROP FUNCTION app.watch_access(timestamptz);
      DROP FUNCTION app.network_of(inet);
      DROP POLICY security_logs_definer_delete ON security_logs;
      DROP POLICY security_logs_definer_select ON security_logs;
      REVOKE SELECT, DELETE ON security_logs FROM gigvault_definer;
      DROP TABLE access_alerts;
    `);
  }
}

const TABLE = `
  CREATE TABLE access_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT access_alerts_pkey PRIMARY KEY,
    user_id bigint CONSTRAINT access_alerts_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT access_alerts_kind_known CHECK (kind IN ('failure_burst', 'address_sweep', 'new_device', 'far_addresses')),
    ip_address inet,
    event_id bigint NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    mailed_at timestamptz,
    dismissed_at timestamptz,
    CONSTRAINT access_alerts_event_once UNIQUE (kind, event_id)
  );
  COMMENT ON TABLE access_alerts IS 'What the watch over sign-ins found; one alert an event and kind.';
  COMMENT ON COLUMN access_alerts.event_id IS 'The row of security_logs that set it off; no foreign key, logs have their own retention.';
  CREATE INDEX idx_access_alerts_user_id ON access_alerts (user_id, kind, created_at DESC);
  CREATE INDEX idx_access_alerts_created_at ON access_alerts (created_at DESC, id DESC);
  CREATE INDEX idx_access_alerts_to_mail ON access_alerts (id) WHERE mailed_at IS NULL;

  ALTER TABLE access_alerts ENABLE ROW LEVEL SECURITY;
  ALTER TABLE access_alerts FORCE ROW LEVEL SECURITY;
  CREATE POLICY access_alerts_own_data_select ON access_alerts FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY access_alerts_admin_select ON access_alerts FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY access_alerts_admin_update ON access_alerts FOR UPDATE TO gigvault_admin USING (true);
  CREATE POLICY access_alerts_definer_select ON access_alerts FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY access_alerts_definer_insert ON access_alerts FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY access_alerts_definer_update ON access_alerts FOR UPDATE TO gigvault_definer USING (true);
  CREATE POLICY access_alerts_definer_delete ON access_alerts FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT ON access_alerts TO gigvault_app, gigvault_admin;
  GRANT UPDATE (dismissed_at) ON access_alerts TO gigvault_admin;
  GRANT SELECT, INSERT, DELETE ON access_alerts TO gigvault_definer;
  GRANT UPDATE (mailed_at) ON access_alerts TO gigvault_definer;

  CREATE POLICY security_logs_definer_select ON security_logs FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY security_logs_definer_delete ON security_logs FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, DELETE ON security_logs TO gigvault_definer;
`;

const NETWORK = `
  CREATE FUNCTION app.network_of(address inet) RETURNS cidr
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT network(set_masklen(address, CASE family(address) WHEN 4 THEN 16 ELSE 32 END)) $$;
  COMMENT ON FUNCTION app.network_of(inet) IS 'The /16 of an IPv4 and the /32 of an IPv6 address: beyond it another address counts as far.';
`;

/** What failed for one account, or from one address, alerts once an hour however long it goes on. */
const WATCH = `
  CREATE FUNCTION app.watch_access(since timestamptz) RETURNS TABLE (kind text, found bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    SET jit = off
    AS $$
    WITH events AS MATERIALIZED (
      SELECT s.id, s.created_at, s.user_id, s.ip_address, s.user_agent, s.success, s.event_type,
             coalesce(s.user_id::text, s.details ->> 'emailHash') AS account,
             s.success AND (s.event_type = 'auth.login_mfa' OR (s.event_type = 'auth.login' AND s.details ? 'sessionId')) AS is_sign_in,
             s.success AND s.event_type IN ('auth.login', 'auth.login_mfa', 'auth.refresh', 'auth.step_up') AS is_owner
      FROM public.security_logs s
      WHERE s.created_at > since
        AND s.event_type IN ('auth.login', 'auth.login_mfa', 'auth.refresh', 'auth.step_up', 'auth.password_change')
        AND (s.user_id IS NULL OR EXISTS (SELECT FROM public.users u WHERE u.id = s.user_id))
    ), found AS (
      SELECT 'failure_burst' AS kind, e.user_id, NULL::inet AS ip_address, max(e.id) AS event_id,
             jsonb_build_object('failures', count(*), 'addresses', count(DISTINCT e.ip_address)) AS details
      FROM events e
      WHERE NOT e.success AND e.event_type <> 'auth.refresh' AND e.user_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.access_alerts a WHERE a.kind = 'failure_burst' AND a.user_id = e.user_id
                        AND a.created_at > now() - interval '1 hour')
      GROUP BY e.user_id HAVING count(*) >= 10
      UNION ALL
      SELECT 'address_sweep', NULL, n.address, max(e.id),
             jsonb_build_object('failures', count(*), 'accounts', count(DISTINCT e.account))
      FROM events e, LATERAL (SELECT CASE family(e.ip_address) WHEN 4 THEN e.ip_address ELSE network(set_masklen(e.ip_address, 64))::inet END) AS n (address)
      WHERE NOT e.success AND e.event_type IN ('auth.login', 'auth.login_mfa') AND e.ip_address IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.access_alerts a WHERE a.kind = 'address_sweep' AND a.ip_address = n.address
                        AND a.created_at > now() - interval '1 hour')
      GROUP BY n.address HAVING count(DISTINCT e.account) >= 10
      UNION ALL
      SELECT 'new_device', e.user_id, e.ip_address, e.id, jsonb_build_object('device', e.user_agent)
      FROM events e,
           LATERAL (SELECT count(*) AS sign_ins,
                           count(*) FILTER (WHERE p.user_agent IS NOT DISTINCT FROM e.user_agent
                                            AND app.network_of(p.ip_address) IS NOT DISTINCT FROM app.network_of(e.ip_address)) AS same
                    FROM public.security_logs p
                    WHERE p.user_id = e.user_id AND p.success AND p.created_at > e.created_at - interval '180 days'
                      AND (p.created_at, p.id) < (e.created_at, e.id)
                      AND (p.event_type = 'auth.login_mfa' OR (p.event_type = 'auth.login' AND p.details ? 'sessionId'))) AS before
      WHERE e.is_sign_in AND before.sign_ins > 0 AND before.same = 0
      UNION ALL
      SELECT * FROM (
        SELECT DISTINCT ON (e.user_id) 'far_addresses', e.user_id, e.ip_address, e.id,
               jsonb_build_object('device', e.user_agent, 'otherAddress', host(p.ip_address))
        FROM events e JOIN public.security_logs p ON p.user_id = e.user_id
        WHERE e.is_owner AND p.success AND p.event_type IN ('auth.login', 'auth.login_mfa', 'auth.refresh', 'auth.step_up')
          AND p.created_at BETWEEN e.created_at - interval '10 minutes' AND e.created_at
          AND family(p.ip_address) = family(e.ip_address) AND app.network_of(p.ip_address) <> app.network_of(e.ip_address)
          AND NOT EXISTS (SELECT FROM public.access_alerts a WHERE a.kind = 'far_addresses' AND a.user_id = e.user_id
                          AND a.created_at > now() - interval '1 hour')
        ORDER BY e.user_id, e.id DESC) AS far
    ), left_behind AS (
      INSERT INTO public.access_alerts (kind, user_id, ip_address, event_id, details)
      SELECT f.kind, f.user_id, f.ip_address, f.event_id, f.details FROM found f
      ON CONFLICT ON CONSTRAINT access_alerts_event_once DO NOTHING
      RETURNING kind
    )
    SELECT l.kind, count(*) FROM left_behind l GROUP BY l.kind
    $$;
  COMMENT ON FUNCTION app.watch_access(timestamptz) IS
    'Looks through the sign-ins since a time and leaves an alert for each thing that is out of the ordinary; safe to repeat. Returns how many new ones of which kind.';
`;

/** An alert about an account goes to its owner, one about an address to the admins. */
const MAIL = `
  CREATE FUNCTION app.access_alerts_to_mail(take integer)
    RETURNS TABLE (id bigint, kind text, recipient text, ip_address text, details jsonb, created_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT a.id, a.kind, u.email, host(a.ip_address), a.details, a.created_at
      FROM (SELECT * FROM public.access_alerts WHERE mailed_at IS NULL ORDER BY id LIMIT take) a
      JOIN public.users u ON u.id = a.user_id OR (a.user_id IS NULL AND u.role = 'admin' AND u.is_active AND u.is_verified)
      ORDER BY a.id, u.id
    $$;
  COMMENT ON FUNCTION app.access_alerts_to_mail(integer) IS 'Alerts nobody was told of yet, once for each who is to be told.';

  CREATE FUNCTION app.mark_access_alert_mailed(alert_id bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$ UPDATE public.access_alerts a SET mailed_at = now() WHERE a.id = alert_id $$;
  COMMENT ON FUNCTION app.mark_access_alert_mailed(bigint) IS 'Notes that an alert was told.';

  CREATE FUNCTION app.purge_security_logs(days integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      gone bigint;
    BEGIN
      IF days IS NULL OR days < 30 THEN
        RAISE EXCEPTION 'security events are kept for 30 days at least' USING ERRCODE = 'invalid_parameter_value';
      END IF;
      DELETE FROM public.access_alerts WHERE created_at < now() - make_interval(days => purge_security_logs.days);
      DELETE FROM public.security_logs WHERE created_at < now() - make_interval(days => purge_security_logs.days);
      GET DIAGNOSTICS gone = ROW_COUNT;
      RETURN gone;
    END $$;
  COMMENT ON FUNCTION app.purge_security_logs(integer) IS 'Deletes security events and alerts older than so many days; returns how many events.';
`;

const OWNERS = `
  GRANT EXECUTE ON FUNCTION app.network_of(inet) TO gigvault_definer;
  GRANT EXECUTE ON FUNCTION app.watch_access(timestamptz), app.access_alerts_to_mail(integer),
    app.mark_access_alert_mailed(bigint), app.purge_security_logs(integer) TO gigvault_worker;
  ALTER FUNCTION app.watch_access(timestamptz) OWNER TO gigvault_definer;
  ALTER FUNCTION app.access_alerts_to_mail(integer) OWNER TO gigvault_definer;
  ALTER FUNCTION app.mark_access_alert_mailed(bigint) OWNER TO gigvault_definer;
  ALTER FUNCTION app.purge_security_logs(integer) OWNER TO gigvault_definer;
`;
