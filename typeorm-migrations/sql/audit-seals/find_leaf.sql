-- A row that committed late is in a later seal than its neighbours, so the seals after the first possible one are read
-- too, up to the one after whose floor no row was left.
CREATE FUNCTION audit.find_leaf(row_id bigint) RETURNS TABLE (leaf_index bigint, entry bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      seal record;
      place integer;
    BEGIN
      SELECT audit.audit_entry(a) INTO entry FROM public.audit_logs a
      WHERE a.id = row_id AND a.user_id = (SELECT c.tenant FROM auth.context c);
      IF entry IS NULL THEN
        RETURN;
      END IF;
      FOR seal IN
        SELECT s.tree_size, s.audit_floor, s.entries FROM audit.seals s WHERE s.audit_until >= row_id
        ORDER BY s.audit_until, s.id
      LOOP
        place := position(entry IN seal.entries);
        IF place > 0 THEN
          leaf_index := seal.tree_size - (octet_length(seal.entries) - place + 1) / 49;
          RETURN NEXT;
          RETURN;
        END IF;
        EXIT WHEN seal.audit_floor >= row_id;
      END LOOP;
    END $$;
COMMENT ON FUNCTION audit.find_leaf(bigint) IS
  'Returns the entry of a row of the tenant''s audit log and its index in the tree; no row until it is sealed.';
GRANT EXECUTE ON FUNCTION audit.find_leaf(bigint) TO gigvault_app;
ALTER FUNCTION audit.find_leaf(bigint) OWNER TO gigvault_auditor;
