CREATE FUNCTION auth.destroy_data_key(user_id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (DELETE FROM public.data_keys k WHERE k.user_id = $1 RETURNING 1) SELECT EXISTS (SELECT FROM gone)
    $$;
COMMENT ON FUNCTION auth.destroy_data_key(bigint) IS
  'Destroys the data key of a user, so that nothing it sealed opens again; false when he had none.';
GRANT EXECUTE ON FUNCTION auth.destroy_data_key(bigint) TO gigvault_auth;
ALTER FUNCTION auth.destroy_data_key(bigint) OWNER TO gigvault_definer;
