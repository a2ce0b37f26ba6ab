CREATE FUNCTION auth.reset_password(token_hash bytea, encrypted_password text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      owner bigint;
    BEGIN
      DELETE FROM public.one_time_tokens t
      WHERE t.token_hash = reset_password.token_hash AND t.purpose = 'reset_password' AND t.expires_at > now()
      RETURNING t.user_id INTO owner;
      -- The token came by email, so it also verifies the address. A stranger may have chosen the names of an unverified
      -- account.
      UPDATE public.users u
      SET encrypted_password = reset_password.encrypted_password, is_verified = true,
          first_name = CASE WHEN u.is_verified THEN u.first_name END,
          last_name = CASE WHEN u.is_verified THEN u.last_name END,
          sessions_valid_from = clock_timestamp()
      WHERE u.id = owner AND u.is_active;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = owner;
      RETURN owner;
    END $$;
COMMENT ON FUNCTION auth.reset_password(bytea, text) IS
  'Uses a reset token: sets the password and ends all sessions. Returns the account, or NULL.';
GRANT EXECUTE ON FUNCTION auth.reset_password(bytea, text) TO gigvault_auth;
ALTER FUNCTION auth.reset_password(bytea, text) OWNER TO gigvault_definer;
