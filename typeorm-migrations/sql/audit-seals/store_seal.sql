-- The primary key lets one of two seals with the same number commit.
CREATE FUNCTION audit.store_seal(seal jsonb, root_hash bytea, entries bytea, levels integer[], indexes bigint[],
    lengths integer[], hashes bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO audit.seals (id, tree_size, root_hash, audit_floor, security_floor, audit_until, security_until,
        entries, checkpoint, verifier_key)
      SELECT s.id, s.tree_size, store_seal.root_hash, s.audit_floor, s.security_floor, s.audit_until, s.security_until,
        store_seal.entries, s.checkpoint, s.verifier_key
      FROM jsonb_to_record(seal) AS s (id bigint, tree_size bigint, audit_floor bigint, security_floor bigint,
        audit_until bigint, security_until bigint, checkpoint text, verifier_key text);
      INSERT INTO audit.tiles (level, index, hashes)
      SELECT t.level, t.index, substr(store_seal.hashes, t.until - t.length + 1, t.length)
      FROM (
        SELECT u.level, u.index, u.length, sum(u.length) OVER (ORDER BY u.position)::integer AS until
        FROM unnest(levels, indexes, lengths) WITH ORDINALITY AS u (level, index, length, position)
      ) AS t
      ON CONFLICT (level, index) DO UPDATE SET hashes = EXCLUDED.hashes;
    END $$;
COMMENT ON FUNCTION audit.store_seal(jsonb, bytea, bytea, integer[], bigint[], integer[], bytea) IS
  'Stores a seal, and its new or larger tiles, whose hashes follow each other in the last argument.';
GRANT EXECUTE ON FUNCTION audit.store_seal(jsonb, bytea, bytea, integer[], bigint[], integer[], bytea)
  TO gigvault_worker;
ALTER FUNCTION audit.store_seal(jsonb, bytea, bytea, integer[], bigint[], integer[], bytea) OWNER TO gigvault_auditor;
