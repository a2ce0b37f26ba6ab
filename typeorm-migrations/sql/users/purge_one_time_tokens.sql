CREATE FUNCTION app.purge_one_time_tokens() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH deleted AS (DELETE FROM public.one_time_tokens WHERE expires_at < now() RETURNING 1)
      SELECT count(*) FROM deleted
    $$;
COMMENT ON FUNCTION app.purge_one_time_tokens() IS 'Deletes expired tokens; returns the number.';
GRANT EXECUTE ON FUNCTION app.purge_one_time_tokens() TO gigvault_worker;
ALTER FUNCTION app.purge_one_time_tokens() OWNER TO gigvault_definer;
