-- A row may commit long after rows with larger ids. So a seal covers every visible row that no earlier seal covers, and
-- the floor only keeps it from reading the whole log: it rises to an id when each transaction that could still add a
-- row below has ended.
--
-- A row has its transaction's id before its own id. So each row up to the largest visible id belongs to a transaction
-- that began before the one of this seal, whose id is taken after the largest id was read. Once no transaction up to
-- that id is under way, a later seal, whose snapshot is taken after this was seen, covers the last of these rows.
--
-- pg_snapshot_xmax() does not work in place of the transaction's id: it follows the last transaction that completed,
-- not the last one that began. After a restore into a new cluster the ids of transactions begin at another number: all
-- transactions of the copy have ended, so a floor that rises too soon skips nothing, and one that rises late only costs
-- time.
CREATE FUNCTION audit.begin_seal(max_rows bigint) RETURNS TABLE (
      id bigint, tree_size bigint, audit_floor bigint, security_floor bigint, audit_until bigint, security_until bigint,
      next_audit_floor bigint, next_security_floor bigint, origin text
    )
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      last record;
      settled record;
      newest_audit bigint;
      newest_security bigint;
      oldest_running xid8;
    BEGIN
      SELECT s.id, s.tree_size, s.audit_floor, s.security_floor, s.audit_until, s.security_until,
             split_part(s.checkpoint, E'\n', 1) AS origin
      INTO last FROM audit.seals s ORDER BY s.id DESC LIMIT 1;
      newest_audit := coalesce(
        (SELECT a.id FROM public.audit_logs a WHERE a.id > coalesce(last.audit_until, 0)
         ORDER BY a.id OFFSET max_rows - 1 LIMIT 1),
        (SELECT max(a.id) FROM public.audit_logs a), 0);
      newest_security := coalesce(
        (SELECT s.id FROM public.security_logs s WHERE s.id > coalesce(last.security_until, 0)
         ORDER BY s.id OFFSET max_rows - 1 LIMIT 1),
        (SELECT max(s.id) FROM public.security_logs s), 0);
      -- After the largest ids.
      PERFORM pg_current_xact_id();
      oldest_running := pg_snapshot_xmin(pg_current_snapshot());
      SELECT s.audit_until, s.security_until
      INTO settled FROM audit.seals s WHERE s.transaction_id < oldest_running ORDER BY s.id DESC LIMIT 1;
      RETURN QUERY SELECT
        coalesce(last.id, 0) + 1, coalesce(last.tree_size, 0),
        coalesce(last.audit_floor, 0), coalesce(last.security_floor, 0), newest_audit, newest_security,
        greatest(last.audit_floor, settled.audit_until, 0), greatest(last.security_floor, settled.security_until, 0),
        last.origin;
    END $$;
COMMENT ON FUNCTION audit.begin_seal(bigint) IS
  'Returns the number of the next seal, the size of the tree before it, the ids above which and up to which it covers '
  'rows of both logs, and the floors after it. It covers at most max_rows rows of each log above those of the last '
  'seal.';
GRANT EXECUTE ON FUNCTION audit.begin_seal(bigint) TO gigvault_worker;
ALTER FUNCTION audit.begin_seal(bigint) OWNER TO gigvault_auditor;
