CREATE FUNCTION app.count_data_keys_by_master_key() RETURNS TABLE (master_key text, uses bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT split_part(k.wrapped_key, '.', 2), count(*) FROM public.data_keys k GROUP BY 1 ORDER BY 1
    $$;
COMMENT ON FUNCTION app.count_data_keys_by_master_key() IS 'Counts the data keys that each master key wraps.';
GRANT EXECUTE ON FUNCTION app.count_data_keys_by_master_key() TO gigvault_worker, gigvault_admin;
ALTER FUNCTION app.count_data_keys_by_master_key() OWNER TO gigvault_definer;
