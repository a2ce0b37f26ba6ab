CREATE FUNCTION auth.put_secret_key_check(hash text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.secret_key_check (hash) VALUES ($1) ON CONFLICT DO NOTHING
    $$;
COMMENT ON FUNCTION auth.put_secret_key_check(text) IS
  'Stores the hash of the SECRET_KEY, unless there is one already.';
GRANT EXECUTE ON FUNCTION auth.put_secret_key_check(text) TO gigvault_auth;
ALTER FUNCTION auth.put_secret_key_check(text) OWNER TO gigvault_definer;
