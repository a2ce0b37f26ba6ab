CREATE FUNCTION app.erased_users(since timestamptz) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT s.user_id FROM public.security_logs s
      WHERE s.event_type = 'audit.forgotten' AND s.created_at >= since ORDER BY s.created_at
    $$;
COMMENT ON FUNCTION app.erased_users(timestamptz) IS 'Returns the ids of the users who were erased since a time.';
GRANT EXECUTE ON FUNCTION app.erased_users(timestamptz) TO gigvault_worker;
ALTER FUNCTION app.erased_users(timestamptz) OWNER TO gigvault_definer;
