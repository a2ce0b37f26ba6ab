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
      -- Whoever opened the letter owns the address, so it is verified by that too.
      UPDATE public.users u
      SET encrypted_password = reset_password.encrypted_password, is_verified = true, sessions_valid_from = clock_timestamp()
      WHERE u.id = owner AND u.is_active;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = owner;
      RETURN owner;
    END $$;
COMMENT ON FUNCTION auth.reset_password(bytea, text) IS
  'Spends a reset token: sets the password and ends all sessions; returns the account, or NULL.';
GRANT EXECUTE ON FUNCTION auth.reset_password(bytea, text) TO gigvault_auth;
ALTER FUNCTION auth.reset_password(bytea, text) OWNER TO gigvault_definer;
