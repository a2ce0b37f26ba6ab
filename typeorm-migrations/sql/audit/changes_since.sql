-- Every change of an audited table leaves a row of audit_logs in its own transaction, by all paths, so reading that
-- table is enough. The function is STABLE, so all of it sees the caller's one snapshot. A row that moves to
-- another tenant changes for both tenants.
--
-- A change must be reported once its transaction is visible. Neither ids nor times show that: a long transaction
-- commits rows with old ids. So a position is a snapshot, and a row counts if its transaction was not visible in that
-- snapshot.
--
-- `floor` only avoids reading the whole log: all rows up to it have been reported. All rows up to `next` will have been
-- reported once every transaction before `settles` has ended. `settles` is a new transaction id, taken only while rows
-- are not yet settled. pg_snapshot_xmax() does not work: it follows the last transaction that completed, not the last
-- one that began.
CREATE FUNCTION audit.changes_since(since jsonb) RETURNS TABLE ("position" jsonb, changes jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    AS $$
    DECLARE
      here CONSTANT pg_snapshot := pg_current_snapshot();
      newest CONSTANT bigint := coalesce((SELECT max(a.id) FROM public.audit_logs a), 0);
      seen CONSTANT pg_snapshot := (since ->> 'snapshot')::pg_snapshot;
      floor CONSTANT bigint := (since ->> 'floor')::bigint;
      next CONSTANT bigint := (since ->> 'next')::bigint;
      has_settled CONSTANT boolean := next IS NULL OR pg_snapshot_xmin(here) >= (since ->> 'settles')::xid8;
    BEGIN
      "position" := jsonb_build_object(
        'snapshot', here::text, 'floor', floor, 'next', next, 'settles', since ->> 'settles');
      IF since IS NULL THEN
        "position" := "position"
          || jsonb_build_object('floor', 0, 'next', newest, 'settles', pg_current_xact_id()::text);
      ELSIF has_settled THEN
        "position" := "position" || jsonb_build_object('floor', coalesce(next, floor));
        IF newest > coalesce(next, floor) THEN
          "position" := "position" || jsonb_build_object('next', newest, 'settles', pg_current_xact_id()::text);
        END IF;
      END IF;
      changes := coalesce((
        SELECT jsonb_agg(jsonb_build_array(c.tenant, c.transaction_id::text))
        FROM (
          SELECT DISTINCT t.tenant, a.transaction_id
          FROM public.audit_logs a
          CROSS JOIN LATERAL (VALUES
            (a.user_id), (CASE WHEN a.action = 'UPDATE' THEN (a.old_values ->> 'user_id')::bigint END)) AS t (tenant)
          WHERE a.id > floor AND NOT pg_visible_in_snapshot(a.transaction_id, seen) AND t.tenant IS NOT NULL
        ) c), '[]');
      RETURN NEXT;
    END $$;
COMMENT ON FUNCTION audit.changes_since(jsonb) IS
  'Returns the changes since an earlier position as [[tenant, transaction id]], and the current position. NULL returns '
  'the position and no changes.';
GRANT EXECUTE ON FUNCTION audit.changes_since(jsonb) TO gigvault_monitor;
ALTER FUNCTION audit.changes_since(jsonb) OWNER TO gigvault_auditor;
