-- It runs with the rights of the caller, who must see the account.
CREATE FUNCTION app.log_admin_access(user_id bigint, details jsonb) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog
    AS $$
      SELECT auth.log_event('account.admin_access', u.id, true, NULL, NULL, log_admin_access.details)
      FROM public.users u WHERE u.id = log_admin_access.user_id
    $$;
COMMENT ON FUNCTION app.log_admin_access(bigint, jsonb) IS
  'Logs the event account.admin_access of a user. An id without an account has no reader, and gets no event.';
GRANT EXECUTE ON FUNCTION app.log_admin_access(bigint, jsonb) TO gigvault_admin;
