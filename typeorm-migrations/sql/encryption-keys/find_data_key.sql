CREATE FUNCTION auth.find_data_key(key_id uuid) RETURNS TABLE (user_id bigint, key_id uuid, wrapped_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT k.user_id, k.key_id, k.wrapped_key FROM public.data_keys k WHERE k.key_id = $1
    $$;
COMMENT ON FUNCTION auth.find_data_key(uuid) IS 'Returns the wrapped data key that a sealed value names.';
GRANT EXECUTE ON FUNCTION auth.find_data_key(uuid) TO gigvault_auth;
ALTER FUNCTION auth.find_data_key(uuid) OWNER TO gigvault_definer;
