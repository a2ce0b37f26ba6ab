import type { Abstract, Type } from '@nestjs/common';
import type { UnitOfWork } from '../database/unit-of-work';

/**
 * The result of a run, stored with it: counts and names, never secrets or tenants' texts. `failed` counts the items
 * that failed; above zero the run ends as `partial`.
 */
export type TaskResult = Readonly<Record<string, number | string | boolean | null>>;

/** The cause of a run: the schedule, the start of a worker, an admin's request, or a user's request. */
export type StartedBy = 'schedule' | 'boot' | 'admin' | 'user';

/** The context of one run of a task. */
export interface TaskContext {
  readonly startedBy: StartedBy;
  /** The admin who requested the run. */
  readonly startedById: number | null;
  /** Aborted at the time limit, when the worker stops, or when another worker took over. Long loops check it. */
  readonly signal: AbortSignal;
  /** Result of the last run that succeeded, wholly or partially; null before the first. */
  readonly lastResult: TaskResult | null;
  /**
   * Runs one read-only unit as gigvault_worker without a security event, to find out whether there is work. It may read
   * PostgreSQL's statistics and tables without tenant rows.
   */
  readonly readOnly: <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;
  /**
   * Runs one unit of work as gigvault_worker and logs the security event `system.worker`. PostgreSQL cancels each
   * statement at the time limit of the run.
   */
  readonly asWorker: <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;
  /** Returns a provider of the worker, for tasks that need more than SQL. */
  readonly service: <T>(type: Type<T> | Abstract<T>) => T;
}

/** The result of a run without work. */
export interface Skipped {
  readonly skipped: string;
}

/**
 * Scheduled background work, declared as a constant and listed in src/scheduled-tasks.ts. A run may be repeated
 * after a failure or the death of its worker, so it must be idempotent.
 */
export interface ScheduledTask {
  /** kebab-case; must not change, because the history refers to it. */
  readonly id: string;
  /** One sentence for admins about the effect of a run. */
  readonly description: string;
  /** Five fields (six with leading seconds), in `timezone`. */
  readonly cron: string;
  readonly timezone: 'UTC';
  /** A longer run is aborted and counts as failed. */
  readonly timeoutMs: number;
  /** Number of retries of a failed run, with growing delays. */
  readonly retries: number;
  /** One sentence for admins about the impact of a missed run. */
  readonly missedRunImpact: string;
  /** Also runs once after the start of a worker, unless it is paused. */
  readonly runsAtBoot?: boolean;
  readonly run: (context: TaskContext) => Promise<TaskResult | Skipped>;
}

/** Returns whether a result is `Skipped`. */
export function isSkipped(result: TaskResult | Skipped): result is Skipped {
  return typeof (result as Skipped).skipped === 'string' && Object.keys(result).length === 1;
}

/** Returns whether some items of a run failed. */
export function hasFailures(result: TaskResult): boolean {
  return typeof result['failed'] === 'number' && result['failed'] > 0;
}

/** All scheduled tasks of the installation, in order of declaration. */
export class TaskRegistry {
  private readonly byId: ReadonlyMap<string, ScheduledTask>;

  /** @throws Error when two tasks share an id */
  constructor(readonly tasks: readonly ScheduledTask[]) {
    this.byId = new Map(tasks.map((task) => [task.id, task]));
    if (this.byId.size !== tasks.length) throw new Error('two scheduled tasks share an id');
  }

  find(taskId: string): ScheduledTask | undefined {
    return this.byId.get(taskId);
  }
}
