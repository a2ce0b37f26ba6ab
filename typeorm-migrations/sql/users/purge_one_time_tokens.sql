CREATE FUNCTION app.purge_one_time_tokens() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (DELETE FROM public.one_time_tokens WHERE expires_at < now() RETURNING 1) SELECT count(*) FROM gone
    $$;
COMMENT ON FUNCTION app.purge_one_time_tokens() IS 'Removes expired tokens; returns how many.';
GRANT EXECUTE ON FUNCTION app.purge_one_time_tokens() TO gigvault_worker;
ALTER FUNCTION app.purge_one_time_tokens() OWNER TO gigvault_definer;
