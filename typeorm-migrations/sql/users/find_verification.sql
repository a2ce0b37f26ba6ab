CREATE FUNCTION auth.find_verification(token_hash bytea)
    RETURNS TABLE (user_id bigint, email text, first_name text, last_name text, encrypted_password text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.id, u.email, t.first_name, t.last_name, t.encrypted_password
      FROM public.one_time_tokens t JOIN public.users u ON u.id = t.user_id
      WHERE t.token_hash = find_verification.token_hash AND t.purpose = 'verify_email'
        AND t.expires_at > now() AND NOT u.is_verified
    $$;
COMMENT ON FUNCTION auth.find_verification(bytea) IS
  'Returns the account that a verification token may verify, and the password of the token''s registration, NULL for a '
  'resent link; the token stays valid.';
GRANT EXECUTE ON FUNCTION auth.find_verification(bytea) TO gigvault_auth;
ALTER FUNCTION auth.find_verification(bytea) OWNER TO gigvault_definer;
