-- Repeated failures for one account, or from one address, create at most one alert an hour.
CREATE FUNCTION app.detect_suspicious_access(since timestamptz) RETURNS TABLE (kind text, found bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    SET jit = off
    AS $$
    WITH events AS MATERIALIZED (
      SELECT s.id, s.created_at, s.user_id, s.ip_address, s.user_agent, s.success, s.event_type,
             coalesce(s.user_id::text, s.details ->> 'emailHash') AS account,
             s.success AND (s.event_type = 'auth.login_mfa'
                            OR (s.event_type = 'auth.login' AND s.details ? 'sessionId')) AS is_sign_in,
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
      FROM events e,
           LATERAL (SELECT CASE family(e.ip_address) WHEN 4 THEN e.ip_address
                           ELSE network(set_masklen(e.ip_address, 64))::inet END) AS n (address)
      WHERE NOT e.success AND e.event_type IN ('auth.login', 'auth.login_mfa') AND e.ip_address IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.access_alerts a WHERE a.kind = 'address_sweep' AND a.ip_address = n.address
                        AND a.created_at > now() - interval '1 hour')
      GROUP BY n.address HAVING count(DISTINCT e.account) >= 10
      UNION ALL
      SELECT 'new_device', e.user_id, e.ip_address, e.id, jsonb_build_object('device', e.user_agent)
      FROM events e,
           LATERAL (
             SELECT count(*) AS sign_ins,
                    count(*) FILTER (
                      WHERE p.user_agent IS NOT DISTINCT FROM e.user_agent
                        AND app.network_of(p.ip_address) IS NOT DISTINCT FROM app.network_of(e.ip_address)) AS same
             FROM public.security_logs p
             WHERE p.user_id = e.user_id AND p.success AND p.created_at > e.created_at - interval '180 days'
               AND (p.created_at, p.id) < (e.created_at, e.id)
               AND (p.event_type = 'auth.login_mfa' OR (p.event_type = 'auth.login' AND p.details ? 'sessionId'))
           ) AS previous
      WHERE e.is_sign_in AND previous.sign_ins > 0 AND previous.same = 0
      UNION ALL
      SELECT * FROM (
        SELECT DISTINCT ON (e.user_id) 'far_addresses', e.user_id, e.ip_address, e.id,
               jsonb_build_object('device', e.user_agent, 'otherAddress', host(p.ip_address))
        FROM events e JOIN public.security_logs p ON p.user_id = e.user_id
        WHERE e.is_owner AND p.success
          AND p.event_type IN ('auth.login', 'auth.login_mfa', 'auth.refresh', 'auth.step_up')
          AND p.created_at BETWEEN e.created_at - interval '10 minutes' AND e.created_at
          AND family(p.ip_address) = family(e.ip_address)
          AND app.network_of(p.ip_address) <> app.network_of(e.ip_address)
          AND NOT EXISTS (SELECT FROM public.access_alerts a WHERE a.kind = 'far_addresses' AND a.user_id = e.user_id
                          AND a.created_at > now() - interval '1 hour')
        ORDER BY e.user_id, e.id DESC) AS far
    ), created AS (
      INSERT INTO public.access_alerts (kind, user_id, ip_address, event_id, details)
      SELECT f.kind, f.user_id, f.ip_address, f.event_id, f.details FROM found f
      ON CONFLICT ON CONSTRAINT access_alerts_event_once DO NOTHING
      RETURNING kind
    )
    SELECT c.kind, count(*) FROM created c GROUP BY c.kind
    $$;
COMMENT ON FUNCTION app.detect_suspicious_access(timestamptz) IS
  'Creates an alert for each unusual sign-in since a time. Safe to repeat. Returns the number of new alerts of each '
  'kind.';
GRANT EXECUTE ON FUNCTION app.detect_suspicious_access(timestamptz) TO gigvault_worker;
ALTER FUNCTION app.detect_suspicious_access(timestamptz) OWNER TO gigvault_definer;
