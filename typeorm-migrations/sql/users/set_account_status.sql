CREATE FUNCTION app.set_account_status(user_id bigint, is_active boolean, role text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      account public.users;
    BEGIN
      -- Admins are locked in one order, so that two who demote each other do not both succeed.
      PERFORM FROM public.users u WHERE u.role = 'admin' ORDER BY u.id FOR UPDATE;
      SELECT * INTO account FROM public.users u WHERE u.id = set_account_status.user_id FOR UPDATE;
      IF NOT FOUND THEN
        RETURN 'not_found';
      END IF;
      IF account.is_active = coalesce(set_account_status.is_active, account.is_active)
        AND account.role = coalesce(set_account_status.role, account.role)
      THEN
        RETURN 'unchanged';
      END IF;
      IF account.role = 'admin' AND account.is_active
        AND (set_account_status.is_active IS FALSE OR set_account_status.role <> 'admin')
        AND NOT EXISTS (SELECT FROM public.users u WHERE u.role = 'admin' AND u.is_active AND u.id <> account.id)
      THEN
        RETURN 'last_admin';
      END IF;
      UPDATE public.users u
      SET is_active = coalesce(set_account_status.is_active, u.is_active),
          role = coalesce(set_account_status.role, u.role),
          sessions_valid_from = clock_timestamp()
      WHERE u.id = account.id;
      RETURN 'changed';
    END $$;
COMMENT ON FUNCTION app.set_account_status(bigint, boolean, text) IS
  'Activates or deactivates an account, changes its role (NULL: no change), and ends its sessions. Returns changed, '
  'unchanged, not_found or last_admin.';
GRANT EXECUTE ON FUNCTION app.set_account_status(bigint, boolean, text) TO gigvault_admin;
ALTER FUNCTION app.set_account_status(bigint, boolean, text) OWNER TO gigvault_definer;
