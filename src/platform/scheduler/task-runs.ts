import { Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { SystemDatabase } from '../database/system-database';
import type { TaskDelivery } from '../queues/task-queue';
import type { TaskResult, StartedBy } from './scheduled-task';

/** Time after the lease without a takeover, after which a run counts as lost by the queue too. */
const LOST_AFTER_LEASES = `interval '15 minutes'`;

/** A run claimed by this process. `attempt` is the fencing token against an earlier worker. */
export interface ClaimedRun {
  readonly id: number;
  readonly attempt: number;
  readonly startedBy: StartedBy;
  readonly startedById: number | null;
  readonly lastResult: TaskResult | null;
}

/** The outcome of a run. 'retrying' is not final; 'partial' means that the result counts failures. */
export interface RunOutcomeRecord {
  readonly outcome: 'succeeded' | 'partial' | 'skipped' | 'retrying' | 'failed' | 'timed_out';
  readonly figures?: TaskResult;
  readonly error?: string;
}

interface ClaimRow {
  readonly id: number;
  readonly attempts: number;
  readonly started_by: StartedBy;
  readonly started_by_id: number | null;
  readonly last_figures: TaskResult | null;
}

/** The lease; $1 is its milliseconds in all statements. */
const LEASE = `$1::integer * interval '1 millisecond'`;

/** Returns SQL for an instant in JSON, formatted as in the API. */
const instant = (sql: string): string => `to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Returns SQL for the failed attempts, with the current one added. */
const withAttempt = (endedAt: string, error: string): string => `r.failed_attempts || jsonb_build_object(
  'attempt', r.attempts, 'startedAt', ${instant('r.started_at')}, 'endedAt', ${instant(endedAt)}, 'error', ${error})`;

/** Takes a run over. An attempt that was still running was lost with its worker. */
const LEASE_IS_HELD = `
  failed_attempts = CASE WHEN r.outcome = 'running'
    THEN ${withAttempt('r.lease_until', `'its worker was lost'`)} ELSE r.failed_attempts END,
  outcome = 'running', started_at = now(), ended_at = NULL, lease_until = now() + ${LEASE}, attempts = r.attempts + 1`;
const LEASE_IS_FREE = `(r.outcome IN ('queued', 'retrying') OR (r.outcome = 'running' AND r.lease_until < now()))`;
const CLAIMED = `r.id, r.attempts, r.started_by, r.started_by_id, (
  SELECT l.figures FROM task_runs l
  WHERE l.task = r.task AND l.outcome IN ('succeeded', 'partial') ORDER BY l.started_at DESC LIMIT 1) AS last_figures`;

/** Claims a scheduled run by inserting its unique (task, scheduled_for); inserts nothing for a paused task. */
const CLAIM_FIRING = `
  INSERT INTO task_runs AS r (task, started_by, scheduled_for, outcome, started_at, lease_until, attempts)
  SELECT $2, 'schedule', $3::timestamptz, 'running', now(), now() + ${LEASE}, 1
  WHERE NOT EXISTS (SELECT FROM task_settings s WHERE s.task = $2 AND s.paused)
  ON CONFLICT (task, scheduled_for) DO UPDATE SET ${LEASE_IS_HELD} WHERE ${LEASE_IS_FREE}
  RETURNING ${CLAIMED}`;

const CLAIM_RUN = `UPDATE task_runs r SET ${LEASE_IS_HELD} WHERE r.id = $2 AND ${LEASE_IS_FREE} RETURNING ${CLAIMED}`;

const IS_HELD = `
  SELECT 1 FROM task_runs
  WHERE (id = $1 OR (task = $2 AND scheduled_for = $3::timestamptz)) AND outcome = 'running'`;

const RENEW = `
  UPDATE task_runs SET lease_until = now() + ${LEASE}
  WHERE id = $2 AND attempts = $3 AND outcome = 'running' RETURNING id`;

const END = `
  UPDATE task_runs r SET outcome = $3, figures = $4, error = $5::text, ended_at = now(), lease_until = NULL,
    failed_attempts = CASE WHEN $5::text IS NULL THEN r.failed_attempts ELSE ${withAttempt('now()', '$5::text')} END
  WHERE id = $1 AND attempts = $2 AND outcome = 'running' RETURNING id`;

/** Lets workers that start at the same instant see each other's request. */
const LOCK_BOOT_RUNS = `SELECT pg_advisory_xact_lock(hashtextextended('task boot runs', 0))`;

const REQUEST_BOOT_RUN = `
  INSERT INTO task_runs (task, started_by, outcome)
  SELECT $1, 'boot', 'queued'
  WHERE NOT EXISTS (
    SELECT FROM task_runs WHERE task = $1 AND (outcome = 'queued' OR started_at > now() - interval '5 seconds'))
  AND NOT EXISTS (SELECT FROM task_settings s WHERE s.task = $1 AND s.paused)`;

const QUEUED = `SELECT id, task FROM task_runs WHERE outcome = 'queued' ORDER BY id LIMIT 100`;

const LOST = `'its worker was lost and no other took over'`;

const CLOSE_LOST = `
  UPDATE task_runs r SET outcome = 'failed', error = ${LOST}, ended_at = now(), lease_until = NULL,
    failed_attempts = ${withAttempt('r.lease_until', LOST)}
  WHERE outcome = 'running' AND lease_until < now() - ${LOST_AFTER_LEASES} RETURNING id`;

/** The worker's access to task_runs: the history of runs, and the claims by which each scheduled run happens once. */
@Injectable()
export class TaskRuns {
  private readonly leaseMs: number;

  constructor(
    private readonly database: SystemDatabase,
    config: Config,
  ) {
    this.leaseMs = config.tasks.leaseMs;
  }

  /** Interval of lease renewals; short enough that some may fail. */
  get renewEveryMs(): number {
    return this.leaseMs / 4;
  }

  /**
   * Claims a delivered run for this process.
   * @returns the run, 'held' when another process has claimed it, or 'void' when it has ended or its task is paused
   */
  async claim({ taskId, runId, scheduledFor }: TaskDelivery): Promise<ClaimedRun | 'held' | 'void'> {
    return this.database.asScheduler(async (unit) => {
      const [row] =
        runId === undefined
          ? await unit.query<ClaimRow>(CLAIM_FIRING, [this.leaseMs, taskId, scheduledFor])
          : await unit.query<ClaimRow>(CLAIM_RUN, [this.leaseMs, runId]);
      if (row)
        return {
          id: row.id,
          attempt: row.attempts,
          startedBy: row.started_by,
          startedById: row.started_by_id,
          lastResult: row.last_figures,
        };
      const claimed = await unit.query(IS_HELD, [runId ?? null, taskId, scheduledFor]);
      return claimed.length > 0 ? 'held' : 'void';
    });
  }

  /** Renews the lease; false when this process has lost the run. */
  async renew({ id, attempt }: ClaimedRun): Promise<boolean> {
    const rows = await this.database.asScheduler((unit) => unit.query(RENEW, [this.leaseMs, id, attempt]));
    return rows.length > 0;
  }

  /** Records the outcome; false, without a record, when another process has claimed the run meanwhile. */
  async end({ id, attempt }: ClaimedRun, { outcome, figures, error }: RunOutcomeRecord): Promise<boolean> {
    const values = [id, attempt, outcome, figures ? JSON.stringify(figures) : null, error ?? null];
    const rows = await this.database.asScheduler((unit) => unit.query(END, values));
    return rows.length > 0;
  }

  /** Requests a run after the start of a worker, unless one is queued or just started, or the task is paused. */
  async requestBootRun(taskId: string): Promise<void> {
    await this.database.asScheduler(async (unit) => {
      await unit.query(LOCK_BOOT_RUNS);
      await unit.query(REQUEST_BOOT_RUN, [taskId]);
    });
  }

  /** Returns the queued runs, which the queue may have lost. */
  async queued(): Promise<{ id: number; task: string }[]> {
    return this.database.asScheduler((unit) => unit.query<{ id: number; task: string }>(QUEUED));
  }

  /** Closes runs whose worker died and that no worker took over. Returns their number. */
  async closeLost(): Promise<number> {
    const rows = await this.database.asScheduler((unit) => unit.query(CLOSE_LOST));
    return rows.length;
  }
}
