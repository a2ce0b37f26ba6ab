/** How far a table's partitions reach without a gap, and whether rows lie in its default one. */
export interface CoverageRow {
  readonly table: string;
  /** Whole days from now to the first day without a partition. */
  readonly days: number;
  /** As PostgreSQL's counters estimate it. */
  readonly strays: number;
}

/** The cheap facts only: nothing here reads a tenant's row. */
export const COVERAGE = `
  SELECT t.table_name AS "table", greatest(0, floor(extract(epoch FROM make_date(gap.year, 1, 1) - now()) / 86400))::integer AS days,
    coalesce(pg_stat_get_live_tuples(to_regclass(format('public.%I', t.table_name || '_default'))), 0)::integer AS strays
  FROM app.partitioned_tables t
  CROSS JOIN LATERAL (
    SELECT min(y.year) AS year
    FROM generate_series(extract(year FROM now())::integer, extract(year FROM now())::integer + 50) AS y (year)
    WHERE NOT EXISTS (
      SELECT FROM pg_inherits WHERE inhrelid = to_regclass(format('public.%I', t.table_name || '_' || y.year)))
  ) gap
  ORDER BY t.table_name`;

export const VIEW_REFRESHED = `SELECT refreshed_at AS at FROM app.view_refreshes WHERE view_name = 'user_job_stats'`;

/** Failures an admin has not put right: no later run of the task has succeeded; a skipped one did nothing and proves nothing. */
export const UNMENDED = `
  SELECT r.id, r.task, r.ended_at AS "endedAt", r.error FROM task_runs r
  WHERE r.outcome IN ('failed', 'timed_out') AND NOT EXISTS (
    SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id AND later.outcome = 'succeeded')
  ORDER BY r.id DESC LIMIT 20`;
