CREATE FUNCTION auth.find_secret_key_check() RETURNS TABLE (hash text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT c.hash FROM public.secret_key_check c
    $$;
COMMENT ON FUNCTION auth.find_secret_key_check() IS
  'Returns the hash that the SECRET_KEY of this database matches; no row before the first start.';
GRANT EXECUTE ON FUNCTION auth.find_secret_key_check() TO gigvault_auth;
ALTER FUNCTION auth.find_secret_key_check() OWNER TO gigvault_definer;
