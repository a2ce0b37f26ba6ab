-- Shares the worker between tenants, as app.deliveries_due() does.
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
      ORDER BY row_number() OVER (PARTITION BY t.user_id ORDER BY t.expires_at), t.expires_at LIMIT take
    $$;
COMMENT ON FUNCTION app.connections_due(interval, interval, integer) IS
  'Returns the connections to refresh: those that expire within ahead or were not refreshed for keep_alive.';
GRANT EXECUTE ON FUNCTION app.connections_due(interval, interval, integer) TO gigvault_worker;
ALTER FUNCTION app.connections_due(interval, interval, integer) OWNER TO gigvault_definer;
