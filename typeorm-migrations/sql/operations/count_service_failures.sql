-- A failed delivery counts for one day after its last attempt, which wrote its time to next_at; its retries alone take
-- more than a day. Deliveries of inactive users are not tried and do not count as failing.
CREATE FUNCTION app.count_service_failures()
    RETURNS TABLE (
      syncs bigint, failing_syncs bigint, failing_deliveries bigint, lost_deliveries bigint, failing_mails bigint,
      lost_mails bigint
    )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    SELECT s.total, s.failing, d.failing, d.lost, m.failing, m.lost
    FROM (
      SELECT count(*) AS total, count(*) FILTER (WHERE s.failures > 0) AS failing
      FROM public.syncs s
      JOIN public.user_tokens t ON t.user_id = s.user_id AND t.id = s.token_id
      JOIN public.users u ON u.id = s.user_id
      WHERE u.is_active AND t.status <> 'reconnect_needed'
    ) s, (
      SELECT count(*) FILTER (WHERE d.status = 'pending') AS failing,
             count(*) FILTER (WHERE d.status = 'failed') AS lost
      FROM public.alert_deliveries d JOIN public.users u ON u.id = d.user_id
      WHERE (d.status = 'pending' AND d.attempts > 0 AND d.last_error IS NOT NULL AND u.is_active)
        OR (d.status = 'failed' AND d.next_at > now() - interval '1 day')
    ) d, (
      SELECT count(*) FILTER (WHERE m.status = 'pending') AS failing,
             count(*) FILTER (WHERE m.status = 'failed') AS lost
      FROM public.email_outbox m
      WHERE (m.status = 'pending' AND m.attempts > 0 AND m.error IS NOT NULL)
        OR (m.status = 'failed' AND m.ended_at > now() - interval '1 day')
    ) m
  $$;
COMMENT ON FUNCTION app.count_service_failures() IS
  'Counts over all tenants the synchronisations, deliveries and emails that are being retried, and those that failed '
  'within the last day.';
GRANT EXECUTE ON FUNCTION app.count_service_failures() TO gigvault_admin;
ALTER FUNCTION app.count_service_failures() OWNER TO gigvault_definer;
