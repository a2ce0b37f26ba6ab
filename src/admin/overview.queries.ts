/** A run that is not over. */
export interface OpenRunRow {
  readonly id: number;
  readonly task: string;
  readonly outcome: 'queued' | 'running' | 'retrying';
  readonly attempts: number;
  /** How long it waits or runs, in milliseconds. */
  readonly forMs: number;
  readonly error: string | null;
}

export const VIEW_REFRESHED = `SELECT refreshed_at AS at FROM app.view_refreshes WHERE view_name = 'user_job_stats'`;

/** Failures an admin has not put right: no later run of the task has succeeded; a skipped one did nothing and proves nothing. */
export const UNMENDED = `
  SELECT r.id, r.task, r.ended_at AS "endedAt", r.error FROM task_runs r
  WHERE r.outcome IN ('failed', 'timed_out') AND NOT EXISTS (
    SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id AND later.outcome IN ('succeeded', 'partial'))
  ORDER BY r.id DESC LIMIT 20`;

/** What waits, runs or is tried again. */
export const OPEN_RUNS = `
  SELECT r.id, r.task, r.outcome, r.attempts, r.error,
    round(extract(epoch FROM now() - CASE r.outcome WHEN 'running' THEN r.started_at ELSE r.created_at END) * 1000)::bigint AS "forMs"
  FROM task_runs r WHERE r.outcome IN ('queued', 'running', 'retrying') ORDER BY r.id LIMIT 100`;

/** What all users together have reserved and spent on AI. */
export interface AiSpending {
  readonly reservedUsd: string;
  readonly daySpentUsd: string;
  readonly monthSpentUsd: string;
}

/** A counter of an older day counts for nothing. */
export const AI_SPENDING = `
  SELECT reserved_usd::text AS "reservedUsd",
    (CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_spent_usd ELSE 0 END)::text AS "daySpentUsd",
    (CASE WHEN month = date_trunc('month', now() AT TIME ZONE 'UTC')::date THEN month_spent_usd ELSE 0 END)::text AS "monthSpentUsd"
  FROM app.ai_spending`;

/** Tasks whose latest run that did anything, within a day, failed in part. */
export const PARTIAL_RUNS = `
  SELECT DISTINCT ON (r.task) r.id, r.task, r.figures FROM task_runs r
  WHERE r.outcome = 'partial' AND r.ended_at > now() - interval '1 day' AND NOT EXISTS (
    SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id
      AND later.outcome IN ('succeeded', 'partial', 'failed', 'timed_out'))
  ORDER BY r.task, r.id DESC`;

/** What fails for users now, counted over all of them. */
export interface ServiceFaults {
  readonly syncs: number;
  readonly failingSyncs: number;
  readonly failingDeliveries: number;
  readonly lostDeliveries: number;
  readonly failingMails: number;
  readonly lostMails: number;
}

export const SERVICE_FAULTS = `
  SELECT syncs, failing_syncs AS "failingSyncs", failing_deliveries AS "failingDeliveries", lost_deliveries AS "lostDeliveries",
    failing_mails AS "failingMails", lost_mails AS "lostMails"
  FROM app.service_faults()`;
