CREATE FUNCTION auth.find_user_data_key(user_id bigint) RETURNS TABLE (user_id bigint, key_id uuid, wrapped_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT k.user_id, k.key_id, k.wrapped_key FROM public.data_keys k WHERE k.user_id IS NOT DISTINCT FROM $1
    $$;
COMMENT ON FUNCTION auth.find_user_data_key(bigint) IS
  'Returns the wrapped data key of a user; NULL is the key without a user.';
GRANT EXECUTE ON FUNCTION auth.find_user_data_key(bigint) TO gigvault_auth;
ALTER FUNCTION auth.find_user_data_key(bigint) OWNER TO gigvault_definer;
