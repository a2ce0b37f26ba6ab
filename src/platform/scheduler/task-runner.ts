import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Abstract,
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type RequestContext, runInContext } from '../context/request-context';
import { SystemDatabase } from '../database/system-database';
import type { UnitOfWork } from '../database/unit-of-work';
import { type ActiveSchedule, type TaskDelivery, TaskQueue } from '../queues/task-queue';
import {
  hasFailures,
  isSkipped,
  type ScheduledTask,
  type Skipped,
  type TaskContext,
  TaskRegistry,
  type TaskResult,
} from './scheduled-task';
import { type ClaimedRun, type RunOutcomeRecord, TaskRuns } from './task-runs';

/** Longest error text in the history. */
const MAX_ERROR = 1_000;

const READ_ONLY = `SELECT set_config('transaction_read_only', 'on', true)`;

/** The reason of an aborted run. */
class RunAborted extends Error {
  constructor(
    readonly timedOut: boolean,
    message: string,
  ) {
    super(message);
  }
}

/** Runs the deliveries of the queue: claims a run, enforces its time limit, and records its outcome. */
@Injectable()
export class TaskRunner {
  private readonly logger = new Logger(TaskRunner.name);
  private readonly running = new Map<AbortController, Promise<void>>();

  constructor(
    private readonly schedule: TaskRegistry,
    private readonly runs: TaskRuns,
    private readonly database: SystemDatabase,
    private readonly modules: ModuleRef,
  ) {}

  /**
   * Runs one delivery, unless it has run elsewhere.
   * @throws Error without details when it must be delivered again, or finally failed; task_runs has the details
   */
  async execute(delivery: TaskDelivery): Promise<void> {
    const task = this.schedule.find(delivery.taskId);
    if (!task) {
      await delivery.abort();
      throw new Error(`there is no task ${delivery.taskId}`);
    }
    const run = await runInContext(buildRequestContext(task, 'claim'), () => this.runs.claim(delivery));
    if (run === 'void') return;
    if (run === 'held') throw new Error('another worker has claimed this run');
    const stop = new AbortController();
    const work = runInContext(buildRequestContext(task, String(run.id)), () => this.run(task, run, stop));
    const tracked = work.then(
      () => undefined,
      () => undefined,
    );
    this.running.set(stop, tracked);
    const outcome = await work.finally(() => this.running.delete(stop));
    await this.acknowledge(outcome, run, delivery);
  }

  /** Waits up to `timeoutMs` for running tasks, then aborts them. The queue delivers them again. */
  async stop(timeoutMs: number): Promise<void> {
    const all = () => Promise.all(this.running.values());
    await Promise.race([all(), sleep(timeoutMs, undefined, { ref: false })]);
    for (const controller of this.running.keys()) controller.abort(new RunAborted(false, 'its worker was stopped'));
    await Promise.race([all(), sleep(2_000, undefined, { ref: false })]);
  }

  private async run(task: ScheduledTask, run: ClaimedRun, stop: AbortController): Promise<RunOutcomeRecord> {
    const startedAt = Date.now();
    const renewal = setInterval(() => void this.renew(run, stop), this.runs.renewEveryMs);
    const limit = setTimeout(
      () => stop.abort(new RunAborted(true, `took longer than ${task.timeoutMs} ms`)),
      task.timeoutMs,
    );
    let outcome: RunOutcomeRecord;
    try {
      const context = this.buildContext(task, run, stop.signal, startedAt + task.timeoutMs);
      outcome = toOutcome(await Promise.race([task.run(context), rejectWhenAborted(stop.signal)]));
    } catch (error) {
      outcome = toFailedOutcome(error, stop.signal, run.attempt <= task.retries);
    } finally {
      clearTimeout(limit);
      clearInterval(renewal);
    }
    const isRecorded = await this.runs.end(run, outcome);
    this.log(task, run, outcome, Date.now() - startedAt, isRecorded);
    return outcome;
  }

  private buildContext(task: ScheduledTask, run: ClaimedRun, signal: AbortSignal, endsAt: number): TaskContext {
    return {
      signal,
      startedBy: run.startedBy,
      startedById: run.startedById,
      lastResult: run.lastResult,
      service: <T>(type: Type<T> | Abstract<T>) => this.modules.get(type, { strict: false }),
      readOnly: <T>(work: (unit: UnitOfWork) => Promise<T>) => {
        signal.throwIfAborted();
        return this.database.asScheduler(async (unit) => {
          unit.setStatementTimeout(remainingMs(endsAt));
          await unit.query(READ_ONLY);
          return work(unit);
        });
      },
      asWorker: <T>(work: (unit: UnitOfWork) => Promise<T>) => {
        signal.throwIfAborted();
        return this.database.asWorker(`task ${task.id}`, (unit) => {
          // PostgreSQL cancels a statement at the time limit of the run.
          unit.setStatementTimeout(remainingMs(endsAt));
          return work(unit);
        });
      },
    };
  }

  /** Renews the lease. A failed renewal is ignored; a lost lease aborts the run. */
  private async renew(run: ClaimedRun, stop: AbortController): Promise<void> {
    const isClaimed = await this.runs.renew(run).catch(() => true);
    if (!isClaimed) stop.abort(new RunAborted(false, 'another worker took it over'));
  }

  private async acknowledge({ outcome }: RunOutcomeRecord, run: ClaimedRun, delivery: TaskDelivery): Promise<void> {
    if (outcome === 'succeeded' || outcome === 'partial' || outcome === 'skipped') return;
    if (outcome !== 'retrying') await delivery.abort();
    throw new Error(
      `run ${run.id} ${outcome === 'retrying' ? 'will be retried' : 'failed'}; see its error in task_runs`,
    );
  }

  private log(task: ScheduledTask, run: ClaimedRun, end: RunOutcomeRecord, tookMs: number, isRecorded: boolean): void {
    const note = isRecorded ? '' : ', but another worker has claimed it meanwhile';
    const summary = `${task.id}: run ${run.id} ${end.outcome} after ${tookMs} ms${note}`;
    if (end.error !== undefined) this.logger.error(`${summary}: ${end.error}`);
    else if (end.outcome === 'partial') this.logger.warn(`${summary} ${JSON.stringify(end.figures ?? {})}`);
    else this.logger.log(`${summary} ${JSON.stringify(end.figures ?? {})}`);
  }
}

function buildRequestContext(task: ScheduledTask, id: string): RequestContext {
  return {
    requestId: `task-run-${id}`,
    ip: null,
    userAgent: null,
    operation: `task:${task.id}`,
    actorKind: 'task',
  };
}

function remainingMs(endsAt: number): number {
  return Math.max(1, endsAt - Date.now());
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function toOutcome(result: TaskResult | Skipped): RunOutcomeRecord {
  if (isSkipped(result)) return { outcome: 'skipped', figures: { reason: result.skipped } };
  return { outcome: hasFailures(result) ? 'partial' : 'succeeded', figures: result };
}

function toFailedOutcome(error: unknown, signal: AbortSignal, mayRetry: boolean): RunOutcomeRecord {
  // After an abort, the task's own error is only a consequence.
  const cause: unknown = signal.aborted ? signal.reason : error;
  const message = (cause instanceof Error ? cause.message : String(cause)).slice(0, MAX_ERROR);
  if (mayRetry) return { outcome: 'retrying', error: message };
  return { outcome: cause instanceof RunAborted && cause.timedOut ? 'timed_out' : 'failed', error: message };
}

/** Runs of a worker at once: a long one must not delay the others. */
const CONCURRENCY = 4;

/** Interval of reconciling the schedule in Redis, which also restores an emptied Redis. */
const RECONCILE_INTERVAL_MS = 60_000;

/** Time for running tasks to finish when a worker stops. */
const STOP_TIMEOUT_MS = 15_000;

/**
 * The scheduler of a worker: keeps the schedules in Redis equal to the declared ones, and runs due tasks. Any number of
 * workers may run at once.
 */
@Injectable()
export class Scheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Scheduler.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly schedule: TaskRegistry,
    private readonly queue: TaskQueue,
    private readonly runs: TaskRuns,
    private readonly runner: TaskRunner,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.inContext(() => this.requestBootRuns());
    await this.inContext(() => this.reconcile());
    this.timer = setInterval(() => void this.inContext(() => this.reconcile()), RECONCILE_INTERVAL_MS);
    this.queue.consume(CONCURRENCY, (delivery) => this.runner.execute(delivery));
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.queue.stopConsuming().catch((error: Error) => this.logger.warn(error.message));
    await this.runner.stop(STOP_TIMEOUT_MS);
  }

  /**
   * Makes the schedules in Redis equal to the declared ones: removes those of a changed cron or a removed task. Queues
   * waiting runs of task_runs again, and closes lost runs.
   */
  async reconcile(): Promise<void> {
    for (const active of await this.queue.schedules()) {
      if (!this.schedule.tasks.some((task) => isScheduleOf(task, active))) {
        await this.queue.removeSchedule(active);
        this.logger.log(`${active.taskId}: removed the old schedule ${active.cron}`);
      }
    }
    for (const task of this.schedule.tasks) {
      await this.queue.schedule({ taskId: task.id, cron: task.cron, timezone: task.timezone });
    }
    for (const run of await this.runs.queued()) await this.queue.add(run.task, run.id);
    const lost = await this.runs.closeLost();
    if (lost > 0) this.logger.error(`${lost} runs were lost with their workers`);
  }

  private async requestBootRuns(): Promise<void> {
    for (const task of this.schedule.tasks) if (task.runsAtBoot) await this.runs.requestBootRun(task.id);
  }

  /** Runs scheduler work and logs its failure; the next attempt follows within a minute. */
  private async inContext(work: () => Promise<void>): Promise<void> {
    const context = {
      requestId: 'scheduler',
      ip: null,
      userAgent: null,
      operation: 'scheduler',
      actorKind: 'task' as const,
    };
    await runInContext(context, work).catch((error: Error) =>
      this.logger.warn(`schedule not reconciled: ${error.message}`),
    );
  }
}

function isScheduleOf(task: ScheduledTask, { taskId, cron, timezone }: ActiveSchedule): boolean {
  return task.id === taskId && task.cron === cron && task.timezone === timezone;
}
