/** The state of a record after one of its changes. */
export interface RecordVersionRow {
  /** Id of the newest audit row; null without one up to that point. */
  readonly auditId: number | null;
  readonly exists: boolean;
  readonly isComplete: boolean;
  readonly isErased: boolean;
  /** Column names and PostgreSQL's JSON of the values; null without a known value. */
  readonly values: Record<string, unknown> | null;
}

/**
 * Replays the changes of the record $2 of the table $1 up to a point: the values of its latest creation, and of each
 * change after it. A row is locked from its change to COMMIT, so the ids of its audit rows have the order of its
 * changes. Returns no row for a record without any change.
 */
function replay(until: string): string {
  return `
    WITH trail AS (
      SELECT id, action, new_values, ${until} AS is_before,
        action <> 'DELETE' AND new_values IS NULL AS is_erased
      FROM audit_logs WHERE table_name = $1 AND record_id = $2
    ), replayed AS (
      SELECT * FROM trail
      WHERE is_before AND id >= coalesce(
        (SELECT max(id) FROM trail WHERE is_before AND action IN ('INSERT', 'DELETE')), 0)
    ), first AS (
      SELECT action FROM trail ORDER BY id LIMIT 1
    )
    SELECT max(r.id) AS "auditId",
      coalesce((array_agg(r.action ORDER BY r.id DESC))[1] <> 'DELETE', first.action <> 'INSERT') AS "exists",
      coalesce((array_agg(r.action ORDER BY r.id))[1] IN ('INSERT', 'DELETE'), first.action = 'INSERT') AS "isComplete",
      coalesce(bool_or(r.is_erased), false) AS "isErased",
      (SELECT jsonb_object_agg(v.key, v.value ORDER BY c.id) FROM replayed c, jsonb_each(c.new_values) v) AS "values"
    FROM first LEFT JOIN replayed r ON true GROUP BY first.action`;
}

/** Returns the version of the record $2 of the table $1 at the time $3, to the millisecond, as the API shows times. */
export const VERSION_AT = replay(`date_trunc('milliseconds', created_at) <= $3`);

/** Returns the version of the record $2 of the table $1 after the audit row $3. */
export const VERSION_AFTER = replay('id <= $3');

/** Finds the record that the audit row $1 is about. */
export const FIND_RECORD = `SELECT table_name AS "table", record_id AS "recordId" FROM audit_logs WHERE id = $1`;
