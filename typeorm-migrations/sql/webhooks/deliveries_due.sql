-- Shares the worker between tenants: each tenant's oldest delivery comes first, then each tenant's second, and so on.
CREATE FUNCTION app.deliveries_due(take integer) RETURNS TABLE (user_id bigint, delivery_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT d.user_id, d.id FROM public.alert_deliveries d JOIN public.users u ON u.id = d.user_id
      WHERE d.status = 'pending' AND d.next_at <= now() AND (d.lease_until IS NULL OR d.lease_until < now())
        AND u.is_active
      ORDER BY row_number() OVER (PARTITION BY d.user_id ORDER BY d.next_at), d.next_at LIMIT take
    $$;
COMMENT ON FUNCTION app.deliveries_due(integer) IS 'Returns the deliveries that are due.';
GRANT EXECUTE ON FUNCTION app.deliveries_due(integer) TO gigvault_worker;
ALTER FUNCTION app.deliveries_due(integer) OWNER TO gigvault_definer;
