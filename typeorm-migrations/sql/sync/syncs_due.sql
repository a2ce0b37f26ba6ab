-- Shares the worker between tenants, as app.deliveries_due() does.
CREATE FUNCTION app.syncs_due(take integer) RETURNS TABLE (user_id bigint, sync_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT s.user_id, s.id FROM public.syncs s
      JOIN public.user_tokens t ON t.user_id = s.user_id AND t.id = s.token_id
      JOIN public.users u ON u.id = s.user_id
      WHERE s.next_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now())
        AND t.status <> 'reconnect_needed' AND u.is_active
      ORDER BY row_number() OVER (PARTITION BY s.user_id ORDER BY s.next_at), s.next_at LIMIT take
    $$;
COMMENT ON FUNCTION app.syncs_due(integer) IS 'Returns the synchronisations that are due.';
GRANT EXECUTE ON FUNCTION app.syncs_due(integer) TO gigvault_worker;
ALTER FUNCTION app.syncs_due(integer) OWNER TO gigvault_definer;
