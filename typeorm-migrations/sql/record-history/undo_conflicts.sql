-- Called while the rows are locked: a change that committed before is in the log by then.
CREATE FUNCTION app.undo_conflicts(changes audit_logs[]) RETURNS TABLE (conflict jsonb)
    LANGUAGE sql STABLE
    AS $$
      WITH checked AS (
        SELECT c.id, c.table_name, c.record_id, later.id AS later_id,
          CASE
            WHEN u.table_name IS NULL THEN 'not_undoable'
            WHEN u.columns IS NOT NULL AND (c.action <> 'UPDATE' OR c.old_values - u.columns <> '{}')
              THEN 'not_undoable'
            WHEN c.action <> 'INSERT' AND c.old_values IS NULL THEN 'erased'
            WHEN c.action <> 'INSERT' AND EXISTS (
              SELECT FROM jsonb_each(c.old_values) AS v
              WHERE v.key = ANY (t.secret_columns) AND v.value <> 'null') THEN 'redacted'
            WHEN later.id IS NOT NULL THEN 'changed_later'
          END AS reason
        FROM unnest(changes) AS c
        LEFT JOIN app.undoable_tables() AS u ON u.table_name = c.table_name
        LEFT JOIN audit.audited_tables AS t ON t.table_name = c.table_name
        LEFT JOIN LATERAL (
          SELECT max(a.id) AS id FROM public.audit_logs AS a
          WHERE a.table_name = c.table_name AND a.record_id = c.record_id AND a.id > c.id
            AND (a.request_id = c.request_id AND a.actor_id = c.actor_id AND a.actor_kind IN ('user', 'admin'))
              IS NOT TRUE
        ) AS later ON true
      )
      SELECT jsonb_build_object('auditId', k.id, 'table', k.table_name, 'recordId', k.record_id, 'reason', k.reason,
        'laterAuditId', CASE WHEN k.reason = 'changed_later' THEN k.later_id END)
      FROM checked AS k WHERE k.reason IS NOT NULL ORDER BY k.id DESC
    $$;
COMMENT ON FUNCTION app.undo_conflicts(audit_logs[]) IS
  'Returns a conflict for each change that cannot be undone by what the audit log says, the newest first.';
GRANT EXECUTE ON FUNCTION app.undo_conflicts(audit_logs[]) TO gigvault_app;
