-- A row that committed late is in a later seal than its neighbours: a row that is not in the first seal that could
-- have it is looked up in the next one, up to the seal whose floor covers it.
-- PostgreSQL cannot know the number of entries. Only a hash join does not compare each of them with each row.
CREATE FUNCTION audit.find_leaves(row_ids bigint[], last_seal bigint)
    RETURNS TABLE (row_id bigint, leaf_index bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    SET enable_nestloop = off
    SET enable_mergejoin = off
    AS $$
    DECLARE
      pending bigint[];
      tried bigint[];
      next_pending bigint[];
      next_tried bigint[];
      found record;
    BEGIN
      SELECT array_agg(a.id), array_agg(0) INTO pending, tried FROM public.audit_logs a
      WHERE a.id = ANY (row_ids) AND a.user_id = (SELECT c.tenant FROM auth.context c);
      WHILE cardinality(pending) > 0 LOOP
        next_pending := '{}';
        next_tried := '{}';
        FOR found IN
          WITH candidates AS MATERIALIZED (
            SELECT p.id, n.seal, n.floor FROM unnest(pending, tried) AS p (id, after), LATERAL (
              SELECT s.id AS seal, s.audit_floor AS floor FROM audit.seals s
              WHERE s.audit_until >= p.id AND s.id > p.after AND s.id <= last_seal
              ORDER BY s.audit_until, s.id LIMIT 1) AS n
          )
          SELECT c.id, c.seal, c.floor, e.leaf FROM candidates c LEFT JOIN (
            SELECT s.id AS seal, s.tree_size - octet_length(b.entries) / 49 + n.place AS leaf,
              substr(b.entries, n.place * 49 + 1, 9) AS log_and_id
            FROM audit.seals s,
              -- The concatenation reads the bytes once, instead of a part of them for each entry.
              LATERAL (SELECT s.entries || ''::bytea AS entries OFFSET 0) AS b,
              LATERAL generate_series(0, octet_length(b.entries) / 49 - 1) AS n (place)
            WHERE s.id IN (SELECT DISTINCT k.seal FROM candidates k)
            -- Else the join would keep a copy of all bytes for each entry.
            OFFSET 0
          ) AS e ON e.seal = c.seal AND e.log_and_id = '\x61'::bytea || int8send(c.id)
        LOOP
          IF found.leaf IS NOT NULL THEN
            row_id := found.id;
            leaf_index := found.leaf;
            RETURN NEXT;
          ELSIF found.floor < found.id THEN
            next_pending := next_pending || found.id;
            next_tried := next_tried || found.seal;
          END IF;
        END LOOP;
        pending := next_pending;
        tried := next_tried;
      END LOOP;
    END $$;
COMMENT ON FUNCTION audit.find_leaves(bigint[], bigint) IS
  'Returns the indexes in the tree of rows of the tenant''s audit log that a seal up to the given one covers.';
GRANT EXECUTE ON FUNCTION audit.find_leaves(bigint[], bigint) TO gigvault_app;
ALTER FUNCTION audit.find_leaves(bigint[], bigint) OWNER TO gigvault_auditor;
