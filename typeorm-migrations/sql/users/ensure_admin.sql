-- The environment names an admin at every start, so this function must be safe to repeat. It never changes the password
-- of a verified account, and does not restore the admin role while there is another admin. A stranger may have
-- registered the address, so the password of an unverified account is replaced, and its names are removed.
CREATE FUNCTION auth.ensure_admin(email text, ascii_domain text, encrypted_password text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      INSERT INTO public.users (email, ascii_domain, encrypted_password, role, is_verified)
      VALUES (ensure_admin.email, ensure_admin.ascii_domain, ensure_admin.encrypted_password, 'admin', true)
      ON CONFLICT (lower(coalesce(split_part(email, '@', 1) || '@' || ascii_domain, email))) DO NOTHING;
      IF FOUND THEN
        RETURN 'created';
      END IF;
      UPDATE public.users u
      SET role = 'admin', is_verified = true, sessions_valid_from = clock_timestamp(),
          encrypted_password =
            CASE WHEN u.is_verified THEN u.encrypted_password ELSE ensure_admin.encrypted_password END,
          first_name = CASE WHEN u.is_verified THEN u.first_name END,
          last_name = CASE WHEN u.is_verified THEN u.last_name END
      WHERE lower(coalesce(split_part(u.email, '@', 1) || '@' || u.ascii_domain, u.email))
          = lower(coalesce(
              split_part(ensure_admin.email, '@', 1) || '@' || ensure_admin.ascii_domain, ensure_admin.email))
        AND (NOT u.is_verified OR NOT EXISTS (SELECT FROM public.users a WHERE a.role = 'admin' AND a.is_active));
      RETURN CASE WHEN FOUND THEN 'promoted' ELSE 'unchanged' END;
    END $$;
COMMENT ON FUNCTION auth.ensure_admin(text, text, text) IS
  'Makes the account of an address a verified admin. Returns created, promoted or unchanged. Safe to repeat.';
GRANT EXECUTE ON FUNCTION auth.ensure_admin(text, text, text) TO gigvault_auth;
ALTER FUNCTION auth.ensure_admin(text, text, text) OWNER TO gigvault_definer;
