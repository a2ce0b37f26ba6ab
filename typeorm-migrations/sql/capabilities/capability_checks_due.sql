-- Shares the worker between tenants, as app.deliveries_due() does.
CREATE FUNCTION app.capability_checks_due(take integer) RETURNS TABLE (user_id bigint, token_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT t.user_id, t.id FROM public.user_tokens t JOIN public.users u ON u.id = t.user_id
      WHERE t.next_capability_check_at <= now() AND t.status <> 'reconnect_needed' AND u.is_active
      ORDER BY row_number() OVER (PARTITION BY t.user_id ORDER BY t.next_capability_check_at),
        t.next_capability_check_at LIMIT take
    $$;
COMMENT ON FUNCTION app.capability_checks_due(integer) IS
  'Returns the connections whose capabilities are to be checked.';
GRANT EXECUTE ON FUNCTION app.capability_checks_due(integer) TO gigvault_worker;
ALTER FUNCTION app.capability_checks_due(integer) OWNER TO gigvault_definer;
