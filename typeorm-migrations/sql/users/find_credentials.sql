-- Addresses are compared with the ASCII form of their domain; the server passes that form, because PostgreSQL has no
-- IDNA. read_at is when the credentials were read, by the same clock as users.sessions_valid_from.
CREATE FUNCTION auth.find_credentials(email text) RETURNS TABLE (
  user_id bigint, encrypted_password text, role text, is_active boolean, is_verified boolean, totp_enabled boolean,
  read_at timestamptz
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.id, u.encrypted_password, u.role, u.is_active, u.is_verified, coalesce(m.totp_enabled, false),
             statement_timestamp()
      FROM public.users u LEFT JOIN public.user_mfa m ON m.user_id = u.id
      WHERE lower(coalesce(split_part(u.email, '@', 1) || '@' || u.ascii_domain, u.email))
          = lower(find_credentials.email)
    $$;
COMMENT ON FUNCTION auth.find_credentials(text) IS
  'Returns what sign-in needs of the account of an address, in any letter case.';
GRANT EXECUTE ON FUNCTION auth.find_credentials(text) TO gigvault_auth;
ALTER FUNCTION auth.find_credentials(text) OWNER TO gigvault_definer;
