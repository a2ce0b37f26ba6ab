-- Rows that the same request created are deleted too. The statuses of a proposal follow from it, and are deleted with
-- it.
CREATE FUNCTION app.undo_dependents(logical text, ids bigint[], changes audit_logs[]) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    AS $$
    DECLARE
      child record;
    BEGIN
      FOR child IN
        SELECT r.relname AS name, a.attname AS reference
        FROM pg_constraint k
        JOIN pg_class r ON r.oid = k.conrelid
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname <> 'user_id'
        WHERE k.contype = 'f' AND k.confrelid = format('public.%I', logical)::regclass
          AND k.conrelid <> 'public.proposal_status_changes'::regclass
      LOOP
        RETURN QUERY EXECUTE format(
          'SELECT jsonb_build_object(''table'', $1, ''recordId'', c.%2$I, ''reason'', ''in_use'', '
          '''otherTable'', %3$L, ''otherRecordId'', min(c.id)) '
          'FROM public.%1$I c WHERE c.%2$I = ANY ($2) AND NOT EXISTS (SELECT FROM unnest($3) AS n '
          'WHERE n.action = ''INSERT'' AND n.table_name = %3$L AND n.record_id = c.id) GROUP BY c.%2$I',
          child.name, child.reference, child.name)
        USING logical, ids, changes;
      END LOOP;
    END $$;
COMMENT ON FUNCTION app.undo_dependents(text, bigint[], audit_logs[]) IS
  'Returns a conflict for each of these rows that another row refers to, unless the changes created that one too.';
GRANT EXECUTE ON FUNCTION app.undo_dependents(text, bigint[], audit_logs[]) TO gigvault_app;
