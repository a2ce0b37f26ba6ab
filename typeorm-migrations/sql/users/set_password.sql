CREATE FUNCTION auth.set_password(user_id bigint, encrypted_password text) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH revoked AS (
        DELETE FROM public.one_time_tokens t WHERE t.user_id = set_password.user_id AND t.purpose = 'reset_password')
      UPDATE public.users u
      SET encrypted_password = set_password.encrypted_password, sessions_valid_from = clock_timestamp()
      WHERE u.id = set_password.user_id
      RETURNING u.sessions_valid_from
    $$;
COMMENT ON FUNCTION auth.set_password(bigint, text) IS
  'Sets a password, deletes reset links, and ends sessions whose credentials were checked before the returned time.';
GRANT EXECUTE ON FUNCTION auth.set_password(bigint, text) TO gigvault_auth;
ALTER FUNCTION auth.set_password(bigint, text) OWNER TO gigvault_definer;
