CREATE FUNCTION auth.register(
  email text, ascii_domain text, encrypted_password text, first_name text, last_name text, token_hash bytea,
  token_seconds integer, OUT user_id bigint, OUT email_to text, OUT is_registered boolean, OUT is_repeated boolean
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      -- An unverified account has no owner yet, so the latest registration renews it. What the owner confirms is in the
      -- token: verify_email takes password and names from there.
      INSERT INTO public.users AS u (email, ascii_domain, encrypted_password, first_name, last_name)
      VALUES (
        register.email, register.ascii_domain, register.encrypted_password, register.first_name, register.last_name)
      ON CONFLICT (lower(coalesce(split_part(email, '@', 1) || '@' || ascii_domain, email))) DO UPDATE
        SET encrypted_password = excluded.encrypted_password, first_name = excluded.first_name,
            last_name = excluded.last_name
        WHERE NOT u.is_verified AND u.is_active
      RETURNING u.id, u.email INTO register.user_id, register.email_to;
      register.is_registered := register.user_id IS NULL;
      IF register.is_registered THEN
        SELECT u.id, u.email INTO register.user_id, register.email_to FROM public.users u
        WHERE lower(coalesce(split_part(u.email, '@', 1) || '@' || u.ascii_domain, u.email))
            = lower(coalesce(split_part(register.email, '@', 1) || '@' || register.ascii_domain, register.email));
        RETURN;
      END IF;
      register.is_repeated := EXISTS (
        SELECT FROM public.one_time_tokens t
        WHERE t.user_id = register.user_id AND t.purpose = 'verify_email' AND t.expires_at > now());
      INSERT INTO public.one_time_tokens (
        user_id, purpose, token_hash, encrypted_password, first_name, last_name, expires_at)
      VALUES (register.user_id, 'verify_email', register.token_hash, register.encrypted_password, register.first_name,
              register.last_name, now() + make_interval(secs => register.token_seconds));
    END $$;
COMMENT ON FUNCTION auth.register(text, text, text, text, text, bytea, integer) IS
  'Creates an account, or replaces one that was never verified, with a verification token. is_registered: the account '
  'exists already and nothing changed. is_repeated: another verification link is valid.';
GRANT EXECUTE ON FUNCTION auth.register(text, text, text, text, text, bytea, integer) TO gigvault_auth;
ALTER FUNCTION auth.register(text, text, text, text, text, bytea, integer) OWNER TO gigvault_definer;
