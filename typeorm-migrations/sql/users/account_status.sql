CREATE FUNCTION auth.account_status(user_id bigint)
    RETURNS TABLE (role text, is_active boolean, sessions_valid_from timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.role, u.is_active, u.sessions_valid_from FROM public.users u WHERE u.id = account_status.user_id
    $$;
COMMENT ON FUNCTION auth.account_status(bigint) IS
  'Returns the role of an account, whether it is active, and since when its sessions are valid.';
GRANT EXECUTE ON FUNCTION auth.account_status(bigint) TO gigvault_auth;
ALTER FUNCTION auth.account_status(bigint) OWNER TO gigvault_definer;
