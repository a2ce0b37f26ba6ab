import type { RunOutcome, TaskRunDto } from './tasks.dto';

/** A statement and its values. */
type SqlQuery = [sql: string, values: unknown[]];

/** The state of a task in the database. */
export interface TaskRow {
  readonly task: string;
  readonly paused: boolean;
  readonly usualDurationMs: number | null;
  readonly lastRun: LastRunJson | null;
}

/** A run as JSON, with times as text. */
type LastRunJson = Omit<TaskRunDto, 'scheduledFor' | 'startedAt' | 'endedAt'> & {
  readonly scheduledFor: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
};

const RUN_COLUMNS = `
  r.id, r.task, r.scheduled_for AS "scheduledFor", r.started_at AS "startedAt", r.ended_at AS "endedAt", r.outcome,
  r.started_by AS "startedBy", r.started_by_id AS "startedById", r.retry_of AS "retryOf", r.attempts, r.figures,
  r.error, r.failed_attempts AS "failedAttempts"`;

/** Selects the pause setting, latest run and usual duration of tasks. */
export function selectTaskStates(ids: readonly string[]): SqlQuery {
  return [
    `SELECT t.task, coalesce(s.paused, false) AS paused, usual.ms AS "usualDurationMs", to_jsonb(last) AS "lastRun"
     FROM unnest($1::text[]) AS t (task)
     LEFT JOIN task_settings s ON s.task = t.task
     LEFT JOIN LATERAL (
       SELECT ${RUN_COLUMNS} FROM task_runs r WHERE r.task = t.task ORDER BY r.id DESC LIMIT 1
     ) last ON true
     LEFT JOIN LATERAL (
       SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY d.ms))::integer AS ms FROM (
         SELECT extract(epoch FROM r.ended_at - r.started_at) * 1000 AS ms
         FROM task_runs r WHERE r.task = t.task AND r.outcome IN ('succeeded', 'partial') ORDER BY r.id DESC LIMIT 20
       ) d
     ) usual ON true`,
    [ids],
  ];
}

/** Selects the runs of a task, newest first, after the run `afterId`. */
export function selectRuns(task: string, afterId: number | null, take: number): SqlQuery {
  return [
    `SELECT ${RUN_COLUMNS} FROM task_runs r
     WHERE r.task = $1 AND ($2::bigint IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3`,
    [task, afterId, take],
  ];
}

/** Selects the latest runs of all tasks, without skipped ones. */
export function selectLatestRuns(take: number): SqlQuery {
  return [`SELECT ${RUN_COLUMNS} FROM task_runs r WHERE r.outcome <> 'skipped' ORDER BY r.id DESC LIMIT $1`, [take]];
}

/** One bar in a chart of a task's runs. */
export interface RecentRun {
  readonly id: number;
  readonly task: string;
  readonly outcome: RunOutcome;
  readonly ms: number;
}

/** Selects the latest finished runs per task, without skipped ones, oldest first, at most `take` of each. */
export function selectRecentRuns(ids: readonly string[], take = 24): SqlQuery {
  return [
    `SELECT recent.id, recent.task, recent.outcome, recent.ms
     FROM unnest($1::text[]) AS t (task)
     CROSS JOIN LATERAL (
       SELECT r.id, r.task, r.outcome, extract(epoch FROM r.ended_at - r.started_at)::float8 * 1000 AS ms
       FROM task_runs r
       WHERE r.task = t.task AND r.outcome IN ('succeeded', 'partial', 'failed', 'timed_out')
       ORDER BY r.id DESC LIMIT $2
     ) recent
     ORDER BY recent.id`,
    [ids, take],
  ];
}

/** Filters of the run history. */
export interface RunFilters {
  readonly task?: string;
  readonly outcome?: string;
  /** The id of a run, or part of its error or result. */
  readonly text?: string;
  readonly before?: number;
}

/** Selects runs that match the filters, newest first; skipped ones only when `outcome` asks for them. */
export function searchRuns({ task, outcome, text, before }: RunFilters, take: number): SqlQuery {
  return [
    `SELECT ${RUN_COLUMNS} FROM task_runs r
     WHERE ($1::text IS NULL OR r.task = $1) AND (r.outcome = $2 OR ($2 IS NULL AND r.outcome <> 'skipped'))
       AND ($3::bigint IS NULL OR r.id < $3)
       AND ($4::text IS NULL OR r.id::text = $4 OR strpos(lower(concat_ws(' ', r.error, r.figures)), lower($4)) > 0)
     ORDER BY r.id DESC LIMIT $5`,
    [task ?? null, outcome ?? null, before ?? null, text ?? null, take],
  ];
}

/** Number of runs per outcome in one hour. */
export interface HourlyRunCounts {
  readonly at: Date;
  readonly succeeded: number;
  readonly partial: number;
  readonly skipped: number;
  readonly failed: number;
}

/** Counts the runs of the last 24 hours by hour, of one task or of all; includes empty hours. */
export function countRunsByHour(task: string | null): SqlQuery {
  return [
    `SELECT hour.at, count(r.id) FILTER (WHERE r.outcome = 'succeeded')::integer AS succeeded,
       count(r.id) FILTER (WHERE r.outcome = 'partial')::integer AS partial,
       count(r.id) FILTER (WHERE r.outcome = 'skipped')::integer AS skipped,
       count(r.id) FILTER (WHERE r.outcome IN ('failed', 'timed_out'))::integer AS failed
     FROM generate_series(
       date_trunc('hour', now()) - interval '23 hours', date_trunc('hour', now()), interval '1 hour'
     ) AS hour (at)
     LEFT JOIN task_runs r ON r.created_at >= hour.at AND r.created_at < hour.at + interval '1 hour'
       AND ($1::text IS NULL OR r.task = $1)
     GROUP BY hour.at ORDER BY hour.at`,
    [task],
  ];
}

/** Selects the newest retry of a run. */
export function findRetry(id: number): SqlQuery {
  return [`SELECT r.id FROM task_runs r WHERE r.retry_of = $1 ORDER BY r.id DESC LIMIT 1`, [id]];
}

/**
 * The latest failure of each task that has not succeeded since and is not being retried. A partial failure counts for a
 * day, as on the overview, and until its retry: a retry that finds nothing due shows that nothing is left to do.
 */
export const FINAL_FAILURES = `
  SELECT DISTINCT ON (r.task) r.id, r.task FROM task_runs r
  WHERE (r.outcome IN ('failed', 'timed_out') OR (r.outcome = 'partial' AND r.ended_at > now() - interval '1 day'))
    AND NOT EXISTS (
      SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id
        AND (later.outcome IN ('succeeded', 'partial', 'queued', 'running', 'retrying')
          OR (r.outcome = 'partial' AND later.retry_of = r.id)))
  ORDER BY r.task, r.id DESC`;

/** Selects one run. */
export function findRun(id: number): SqlQuery {
  return [`SELECT ${RUN_COLUMNS} FROM task_runs r WHERE r.id = $1`, [id]];
}

/** Queues a run for an admin. */
export function insertRun(task: string, adminId: number, retryOf: number | null): SqlQuery {
  return [
    `INSERT INTO task_runs AS r (task, started_by, started_by_id, retry_of, outcome)
     VALUES ($1, 'admin', $2, $3, 'queued') RETURNING ${RUN_COLUMNS}`,
    [task, adminId, retryOf],
  ];
}

/** Pauses or resumes the schedule of a task. */
export function upsertPaused(task: string, paused: boolean): SqlQuery {
  return [
    `INSERT INTO task_settings AS s (task, paused) VALUES ($1, $2)
     ON CONFLICT (task) DO UPDATE SET paused = excluded.paused, updated_at = now()`,
    [task, paused],
  ];
}
