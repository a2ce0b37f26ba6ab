CREATE FUNCTION auth.verify_email(token_hash bytea) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      spent record;
    BEGIN
      -- The DELETE is what makes the token single: of parallel uses one finds the row.
      DELETE FROM public.one_time_tokens t
      WHERE t.token_hash = verify_email.token_hash AND t.purpose = 'verify_email' AND t.expires_at > now()
      RETURNING t.user_id, t.encrypted_password INTO spent;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      UPDATE public.users u
      SET is_verified = true, encrypted_password = coalesce(spent.encrypted_password, u.encrypted_password)
      WHERE u.id = spent.user_id AND NOT u.is_verified;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = spent.user_id AND t.purpose = 'verify_email';
      RETURN spent.user_id;
    END $$;
COMMENT ON FUNCTION auth.verify_email(bytea) IS
  'Spends a verification token; returns the account it verified, or NULL.';
GRANT EXECUTE ON FUNCTION auth.verify_email(bytea) TO gigvault_auth;
ALTER FUNCTION auth.verify_email(bytea) OWNER TO gigvault_definer;
