-- The foreign keys to users cascade, so tables that are added later are covered.
CREATE FUNCTION auth.erase_account(email_hash bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      me CONSTANT bigint := auth.uid();
      was_admin boolean;
    BEGIN
      IF me IS NULL THEN
        RAISE EXCEPTION 'no tenant: an account is erased by its owner' USING ERRCODE = 'insufficient_privilege';
      END IF;
      -- Admins are locked in one order, so that two who leave at once cannot both find the other still there.
      PERFORM FROM public.users u WHERE u.role = 'admin' ORDER BY u.id FOR UPDATE;
      SELECT u.role = 'admin' INTO was_admin FROM public.users u WHERE u.id = me FOR UPDATE;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      IF was_admin
        AND NOT EXISTS (SELECT FROM public.users u WHERE u.role = 'admin' AND u.is_active AND u.id <> me)
      THEN
        RETURN jsonb_build_object('refused', 'last_admin');
      END IF;
      DELETE FROM public.email_outbox o WHERE o.recipient_hash = email_hash;
      DELETE FROM public.users u WHERE u.id = me;
      RETURN audit.erase_user(me, email_hash, was_admin);
    END $$;
COMMENT ON FUNCTION auth.erase_account(bytea) IS
  'Deletes the tenant''s account with all its rows and erases the user from the logs. Returns NULL if it is already '
  'deleted, and refused: last_admin for the last admin.';
GRANT EXECUTE ON FUNCTION auth.erase_account(bytea) TO gigvault_app;
ALTER FUNCTION auth.erase_account(bytea) OWNER TO gigvault_definer;
