CREATE FUNCTION auth.find_witnessed_log(log_origin text) RETURNS TABLE (
      tree_size bigint, root_hash bytea, checkpoint text
    )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT w.tree_size, w.root_hash, w.checkpoint FROM audit.witnessed_logs w WHERE w.origin = log_origin
    $$;
COMMENT ON FUNCTION auth.find_witnessed_log(text) IS
  'Returns the newest head of another log that this installation has cosigned; no row before the first.';
GRANT EXECUTE ON FUNCTION auth.find_witnessed_log(text) TO gigvault_auth;
ALTER FUNCTION auth.find_witnessed_log(text) OWNER TO gigvault_definer;
