CREATE FUNCTION auth.put_data_key(user_id bigint, key_id uuid, wrapped_key text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.data_keys (user_id, key_id, wrapped_key) VALUES ($1, $2, $3)
      ON CONFLICT ON CONSTRAINT data_keys_user_id_key DO NOTHING
    $$;
COMMENT ON FUNCTION auth.put_data_key(bigint, uuid, text) IS
  'Stores a new data key, unless the user has one already.';
GRANT EXECUTE ON FUNCTION auth.put_data_key(bigint, uuid, text) TO gigvault_auth;
ALTER FUNCTION auth.put_data_key(bigint, uuid, text) OWNER TO gigvault_definer;
