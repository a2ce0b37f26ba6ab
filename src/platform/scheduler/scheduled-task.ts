import type { Abstract, Type } from '@nestjs/common';
import type { UnitOfWork } from '../database/unit-of-work';

/**
 * What a run counts, kept with it: how many, which. Never a secret, never a tenant's text. A figure `failed` counts the items
 * that could not be done; above zero the run ends as `partial`.
 */
export type TaskResult = Readonly<Record<string, number | string | boolean | null>>;

/** Who caused a run: the clock, a worker that started, an admin, or a user who asked for what it does. */
export type StartedBy = 'schedule' | 'boot' | 'admin' | 'user';

/** What a task is given for one run. */
export interface TaskContext {
  readonly startedBy: StartedBy;
  /** The admin who asked for the run. */
  readonly startedById: number | null;
  /** Aborted when the time is up, the worker stops or lost the run to another. Long loops look at it. */
  readonly signal: AbortSignal;
  /** Figures of the last run that succeeded, whole or in part; null before the first. */
  readonly lastResult: TaskResult | null;
  /**
   * Runs one reading unit as gigvault_worker that leaves no event: to find out whether there is anything to do, from
   * PostgreSQL's own figures and from tables without a tenant's row.
   */
  readonly readOnly: <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;
  /**
   * Runs one unit of work as gigvault_worker and leaves the security event `system.worker`; each statement is
   * cancelled by PostgreSQL when the time of the run is up.
   */
  readonly asWorker: <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;
  /** A provider of the worker, for tasks that are more than statements. */
  readonly service: <T>(type: Type<T> | Abstract<T>) => T;
}

/** What a run gives back when there was nothing to do. */
export interface Skipped {
  readonly skipped: string;
}

/**
 * Background work on a schedule, declared once as a constant and listed in tasks.module.ts. A run may be repeated after
 * a failure or the death of its worker, so it must be idempotent.
 */
export interface ScheduledTask {
  /** kebab-case; lasting, for the history is kept under it. */
  readonly id: string;
  /** One sentence for the admin: what a run does. */
  readonly description: string;
  /** Five fields (six with seconds in front), in `timezone`. */
  readonly cron: string;
  readonly timezone: 'UTC';
  /** A run that takes longer is ended and counts as failed. */
  readonly timeoutMs: number;
  /** How often a failed run is tried again, later and later. */
  readonly retries: number;
  /** One sentence for the admin: what suffers when it does not run. */
  readonly missedRunImpact: string;
  /** Runs once soon after a worker has started, besides the schedule, unless it is paused. */
  readonly runsAtBoot?: boolean;
  readonly run: (context: TaskContext) => Promise<TaskResult | Skipped>;
}

/** Tells the two kinds of results apart. */
export function isSkipped(result: TaskResult | Skipped): result is Skipped {
  return typeof (result as Skipped).skipped === 'string' && Object.keys(result).length === 1;
}

/** Returns whether some of the items of a run could not be done. */
export function hasFailures(figures: TaskResult): boolean {
  return typeof figures['failed'] === 'number' && figures['failed'] > 0;
}

/** All scheduled tasks of the installation, in the order they were declared. */
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
