CREATE FUNCTION auth.destroy_data_key(user_id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH deleted AS (DELETE FROM public.data_keys k WHERE k.user_id = $1 RETURNING 1)
      SELECT EXISTS (SELECT FROM deleted)
    $$;
COMMENT ON FUNCTION auth.destroy_data_key(bigint) IS
  'Deletes the data key of a user, so that what it sealed can never be opened again. False: the user had none.';
GRANT EXECUTE ON FUNCTION auth.destroy_data_key(bigint) TO gigvault_auth;
ALTER FUNCTION auth.destroy_data_key(bigint) OWNER TO gigvault_definer;
