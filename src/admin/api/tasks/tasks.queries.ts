import type { RunOutcome, TaskRunDto } from './tasks.dto';

/** A statement and its values. */
type SqlQuery = [sql: string, values: unknown[]];

/** What the database knows of one task. */
export interface TaskRow {
  readonly task: string;
  readonly paused: boolean;
  readonly usualDurationMs: number | null;
  readonly lastRun: LastRunJson | null;
}

/** A run inside JSON: its times are text. */
type LastRunJson = Omit<TaskRunDto, 'scheduledFor' | 'startedAt' | 'endedAt'> & {
  readonly scheduledFor: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
};

const RUN_COLUMNS = `
  r.id, r.task, r.scheduled_for AS "scheduledFor", r.started_at AS "startedAt", r.ended_at AS "endedAt", r.outcome,
  r.started_by AS "startedBy", r.started_by_id AS "startedById", r.retry_of AS "retryOf", r.attempts, r.figures, r.error,
  r.failed_attempts AS "failedAttempts"`;

/** How the tasks with these ids stand: setting, latest run, usual duration. */
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

/** The runs of one task, newest first, behind the run `afterId`. */
export function selectRuns(task: string, afterId: number | null, take: number): SqlQuery {
  return [
    `SELECT ${RUN_COLUMNS} FROM task_runs r WHERE r.task = $1 AND ($2::bigint IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3`,
    [task, afterId, take],
  ];
}

/** The latest runs of all tasks that had something to do. */
export function selectLatestRuns(take: number): SqlQuery {
  return [`SELECT ${RUN_COLUMNS} FROM task_runs r WHERE r.outcome <> 'skipped' ORDER BY r.id DESC LIMIT $1`, [take]];
}

/** One bar of a small picture of a task's runs. */
export interface RecentRun {
  readonly id: number;
  readonly task: string;
  readonly outcome: RunOutcome;
  readonly ms: number;
}

/** The latest runs of each of these tasks that did something and are over, oldest first, at most `take` of each. */
export function selectRecentRuns(ids: readonly string[], take = 24): SqlQuery {
  return [
    `SELECT recent.id, recent.task, recent.outcome, recent.ms
     FROM unnest($1::text[]) AS t (task)
     CROSS JOIN LATERAL (
       SELECT r.id, r.task, r.outcome, extract(epoch FROM r.ended_at - r.started_at)::float8 * 1000 AS ms FROM task_runs r
       WHERE r.task = t.task AND r.outcome IN ('succeeded', 'partial', 'failed', 'timed_out') ORDER BY r.id DESC LIMIT $2
     ) recent
     ORDER BY recent.id`,
    [ids, take],
  ];
}

/** What the history of runs is searched by. */
export interface RunFilters {
  readonly task?: string;
  readonly outcome?: string;
  /** The id of a run, or part of what it tells. */
  readonly text?: string;
  readonly before?: number;
}

/** Runs that fit the filters, newest first; those that found nothing to do only when asked for. */
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

/** How many runs of an hour ended in which way. */
export interface HourlyRunCounts {
  readonly at: Date;
  readonly succeeded: number;
  readonly partial: number;
  readonly skipped: number;
  readonly failed: number;
}

/** The last 24 hours, of one task or of all, gaps included. */
export function countRunsByHour(task: string | null): SqlQuery {
  return [
    `SELECT hour.at, count(r.id) FILTER (WHERE r.outcome = 'succeeded')::integer AS succeeded,
       count(r.id) FILTER (WHERE r.outcome = 'partial')::integer AS partial,
       count(r.id) FILTER (WHERE r.outcome = 'skipped')::integer AS skipped,
       count(r.id) FILTER (WHERE r.outcome IN ('failed', 'timed_out'))::integer AS failed
     FROM generate_series(date_trunc('hour', now()) - interval '23 hours', date_trunc('hour', now()), interval '1 hour') AS hour (at)
     LEFT JOIN task_runs r ON r.created_at >= hour.at AND r.created_at < hour.at + interval '1 hour'
       AND ($1::text IS NULL OR r.task = $1)
     GROUP BY hour.at ORDER BY hour.at`,
    [task],
  ];
}

/** The run made in place of this one, the newest. */
export function findRetry(id: number): SqlQuery {
  return [`SELECT r.id FROM task_runs r WHERE r.retry_of = $1 ORDER BY r.id DESC LIMIT 1`, [id]];
}

/**
 * The latest failure of each task that has not succeeded since and is not being retried. One in part counts for a day, as
 * on the overview, and until it was retried: a retry that finds nothing due proves that nothing is left to do.
 */
export const FINAL_FAILURES = `
  SELECT DISTINCT ON (r.task) r.id, r.task FROM task_runs r
  WHERE (r.outcome IN ('failed', 'timed_out') OR (r.outcome = 'partial' AND r.ended_at > now() - interval '1 day'))
    AND NOT EXISTS (
      SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id
        AND (later.outcome IN ('succeeded', 'partial', 'queued', 'running', 'retrying') OR (r.outcome = 'partial' AND later.retry_of = r.id)))
  ORDER BY r.task, r.id DESC`;

/** One run. */
export function findRun(id: number): SqlQuery {
  return [`SELECT ${RUN_COLUMNS} FROM task_runs r WHERE r.id = $1`, [id]];
}

/** Asks for a run in the name of an admin. */
export function insertRun(task: string, adminId: number, retryOf: number | null): SqlQuery {
  return [
    `INSERT INTO task_runs AS r (task, started_by, started_by_id, retry_of, outcome)
     VALUES ($1, 'admin', $2, $3, 'queued') RETURNING ${RUN_COLUMNS}`,
    [task, adminId, retryOf],
  ];
}

/** Lets the schedule of a task rest or go on. */
export function upsertPaused(task: string, paused: boolean): SqlQuery {
  return [
    `INSERT INTO task_settings AS s (task, paused) VALUES ($1, $2)
     ON CONFLICT (task) DO UPDATE SET paused = excluded.paused, updated_at = now()`,
    [task, paused],
  ];
}
