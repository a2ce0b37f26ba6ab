CREATE FUNCTION auth.find_password_reset(token_hash bytea)
    RETURNS TABLE (user_id bigint, email text, first_name text, last_name text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.id, u.email, u.first_name, u.last_name
      FROM public.one_time_tokens t JOIN public.users u ON u.id = t.user_id
      WHERE t.token_hash = find_password_reset.token_hash AND t.purpose = 'reset_password'
        AND t.expires_at > now() AND u.is_active
    $$;
COMMENT ON FUNCTION auth.find_password_reset(bytea) IS
  'Returns the account whose password a reset token may set; the token stays valid.';
GRANT EXECUTE ON FUNCTION auth.find_password_reset(bytea) TO gigvault_auth;
ALTER FUNCTION auth.find_password_reset(bytea) OWNER TO gigvault_definer;
