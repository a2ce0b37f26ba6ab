CREATE FUNCTION app.has_lost_connections() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT EXISTS (
        SELECT FROM public.user_tokens t WHERE t.status = 'reconnect_needed' AND t.reconnect_reported_at IS NULL)
    $$;
COMMENT ON FUNCTION app.has_lost_connections() IS
  'Returns true when a connection needs its owner and the owner was not notified yet.';
GRANT EXECUTE ON FUNCTION app.has_lost_connections() TO gigvault_worker;
ALTER FUNCTION app.has_lost_connections() OWNER TO gigvault_definer;
