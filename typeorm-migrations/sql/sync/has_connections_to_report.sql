CREATE FUNCTION app.has_connections_to_report() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT EXISTS (SELECT FROM public.user_tokens t WHERE t.status = 'reconnect_needed' AND t.reconnect_reported_at IS NULL)
    $$;
COMMENT ON FUNCTION app.has_connections_to_report() IS 'Whether app.connections_to_report() would give any.';
GRANT EXECUTE ON FUNCTION app.has_connections_to_report() TO gigvault_worker;
ALTER FUNCTION app.has_connections_to_report() OWNER TO gigvault_definer;
