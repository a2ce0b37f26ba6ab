import type { TaskRunDto } from './dto/task-run.dto';

/** A statement and its values. */
type Query = [sql: string, values: unknown[]];

/** What the database knows of one task. */
export interface TaskRow {
  readonly task: string;
  readonly paused: boolean;
  readonly usualDurationMs: number | null;
  readonly lastRun: LastRun | null;
}

/** A run inside JSON: its times are text. */
type LastRun = Omit<TaskRunDto, 'scheduledFor' | 'startedAt' | 'endedAt'> & {
  readonly scheduledFor: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
};

const RUN = `
  r.id, r.task, r.scheduled_for AS "scheduledFor", r.started_at AS "startedAt", r.ended_at AS "endedAt", r.outcome,
  r.started_by AS "startedBy", r.started_by_id AS "startedById", r.retry_of AS "retryOf", r.attempts, r.figures, r.error`;

/** How the tasks with these ids stand: setting, latest run, usual duration. */
export function taskStates(ids: readonly string[]): Query {
  return [
    `SELECT t.task, coalesce(s.paused, false) AS paused, usual.ms AS "usualDurationMs", to_jsonb(last) AS "lastRun"
     FROM unnest($1::text[]) AS t (task)
     LEFT JOIN task_settings s ON s.task = t.task
     LEFT JOIN LATERAL (
       SELECT ${RUN} FROM task_runs r WHERE r.task = t.task ORDER BY r.id DESC LIMIT 1
     ) last ON true
     LEFT JOIN LATERAL (
       SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY d.ms))::integer AS ms FROM (
         SELECT extract(epoch FROM r.ended_at - r.started_at) * 1000 AS ms
         FROM task_runs r WHERE r.task = t.task AND r.outcome = 'succeeded' ORDER BY r.id DESC LIMIT 20
       ) d
     ) usual ON true`,
    [ids],
  ];
}

/** The runs of one task, newest first, behind the run `afterId`. */
export function listRuns(task: string, afterId: number | null, take: number): Query {
  return [
    `SELECT ${RUN} FROM task_runs r WHERE r.task = $1 AND ($2::bigint IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3`,
    [task, afterId, take],
  ];
}

/** The latest runs of all tasks that had something to do. */
export function latestRuns(take: number): Query {
  return [`SELECT ${RUN} FROM task_runs r WHERE r.outcome <> 'skipped' ORDER BY r.id DESC LIMIT $1`, [take]];
}

/** One run. */
export function findRun(id: number): Query {
  return [`SELECT ${RUN} FROM task_runs r WHERE r.id = $1`, [id]];
}

/** Asks for a run in the name of an admin. */
export function insertRun(task: string, adminId: number, retryOf: number | null): Query {
  return [
    `INSERT INTO task_runs AS r (task, started_by, started_by_id, retry_of, outcome)
     VALUES ($1, 'admin', $2, $3, 'queued') RETURNING ${RUN}`,
    [task, adminId, retryOf],
  ];
}

/** Lets the schedule of a task rest or go on. */
export function setPaused(task: string, paused: boolean): Query {
  return [
    `INSERT INTO task_settings AS s (task, paused) VALUES ($1, $2)
     ON CONFLICT (task) DO UPDATE SET paused = excluded.paused, updated_at = now()`,
    [task, paused],
  ];
}
