-- A token without a password is that of a resent link. Nobody can say who chose the names, so the account gets none.
CREATE FUNCTION auth.verify_email(token_hash bytea, encrypted_password text) RETURNS bigint
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
      RETURNING t.user_id, t.first_name, t.last_name INTO token;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      UPDATE public.users u
      SET is_verified = true, encrypted_password = verify_email.encrypted_password, first_name = token.first_name,
          last_name = token.last_name
      WHERE u.id = token.user_id AND NOT u.is_verified;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = token.user_id AND t.purpose = 'verify_email';
      RETURN token.user_id;
    END $$;
COMMENT ON FUNCTION auth.verify_email(bytea, text) IS
  'Uses a verification token: the account gets the password and the names of the token. Returns it, or NULL.';
GRANT EXECUTE ON FUNCTION auth.verify_email(bytea, text) TO gigvault_auth;
ALTER FUNCTION auth.verify_email(bytea, text) OWNER TO gigvault_definer;
