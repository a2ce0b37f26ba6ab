CREATE FUNCTION auth.verify_email(token_hash bytea) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      token record;
    BEGIN
      -- The DELETE makes the token single-use: of parallel uses one finds the row.
      DELETE FROM public.one_time_tokens t
      WHERE t.token_hash = verify_email.token_hash AND t.purpose = 'verify_email' AND t.expires_at > now()
      RETURNING t.user_id, t.encrypted_password INTO token;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      UPDATE public.users u
      SET is_verified = true, encrypted_password = coalesce(token.encrypted_password, u.encrypted_password)
      WHERE u.id = token.user_id AND NOT u.is_verified;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = token.user_id AND t.purpose = 'verify_email';
      RETURN token.user_id;
    END $$;
COMMENT ON FUNCTION auth.verify_email(bytea) IS
  'Uses a verification token; returns the account that it verified, or NULL.';
GRANT EXECUTE ON FUNCTION auth.verify_email(bytea) TO gigvault_auth;
ALTER FUNCTION auth.verify_email(bytea) OWNER TO gigvault_definer;
