-- The comparison with the older head and the change are one statement, so that of two heads that extend the same one,
-- one is cosigned. A smaller size would roll the log back.
CREATE FUNCTION auth.store_witnessed_log(log_origin text, old_size bigint, old_root bytea, new_size bigint,
    new_root bytea, new_checkpoint text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO audit.witnessed_logs AS w (origin, tree_size, root_hash, checkpoint)
      VALUES (log_origin, new_size, new_root, new_checkpoint)
      ON CONFLICT (origin) DO UPDATE SET tree_size = EXCLUDED.tree_size, root_hash = EXCLUDED.root_hash,
        checkpoint = EXCLUDED.checkpoint, cosigned_at = clock_timestamp()
      WHERE w.tree_size = old_size AND w.root_hash = old_root
        AND (EXCLUDED.tree_size > w.tree_size OR EXCLUDED.root_hash = w.root_hash);
      RETURN FOUND;
    END $$;
COMMENT ON FUNCTION auth.store_witnessed_log(text, bigint, bytea, bigint, bytea, text) IS
  'Stores the newest head of another log in place of an older one. Returns false, and stores nothing, when the stored '
  'head is not the older one any more.';
GRANT EXECUTE ON FUNCTION auth.store_witnessed_log(text, bigint, bytea, bigint, bytea, text) TO gigvault_auth;
ALTER FUNCTION auth.store_witnessed_log(text, bigint, bytea, bigint, bytea, text) OWNER TO gigvault_definer;
