CREATE FUNCTION auth.find_account(user_id bigint) RETURNS TABLE (
  email text, first_name text, last_name text, encrypted_password text, is_active boolean, totp_enabled boolean
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.email, u.first_name, u.last_name, u.encrypted_password, u.is_active, coalesce(m.totp_enabled, false)
      FROM public.users u LEFT JOIN public.user_mfa m ON m.user_id = u.id
      WHERE u.id = find_account.user_id
    $$;
COMMENT ON FUNCTION auth.find_account(bigint) IS
  'Returns what reauthentication and emails to the user need.';
GRANT EXECUTE ON FUNCTION auth.find_account(bigint) TO gigvault_auth;
ALTER FUNCTION auth.find_account(bigint) OWNER TO gigvault_definer;
