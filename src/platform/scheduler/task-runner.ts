import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type Abstract, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { runInContext, type RequestContext } from '../context/request-context';
import { SystemDatabase } from '../database/system-database';
import type { UnitOfWork } from '../database/unit-of-work';
import type { TaskDelivery } from '../queues/task-queue';
import {
  hasFailures,
  isSkipped,
  type ScheduledTask,
  type Skipped,
  type TaskContext,
  TaskRegistry,
  type TaskResult,
} from './scheduled-task';
import { TaskRuns, type ClaimedRun, type RunOutcomeRecord } from './task-runs';

/** The history is for people; what matters of an error stands at its beginning. */
const MAX_ERROR = 1_000;

const READ_ONLY = `SELECT set_config('transaction_read_only', 'on', true)`;

/** Why a run was ended from outside. */
class RunAborted extends Error {
  constructor(
    readonly timedOut: boolean,
    message: string,
  ) {
    super(message);
  }
}

/** Runs what the queue delivers: claims it, gives it its time, and writes down how it ended. */
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
   * Runs one delivery to its end, unless it has run elsewhere.
   * @throws Error without details when it is to be delivered again, or was given up; the details are in task_runs
   */
  async execute(delivery: TaskDelivery): Promise<void> {
    const task = this.schedule.find(delivery.taskId);
    if (!task) {
      await delivery.abort();
      throw new Error(`no task is called ${delivery.taskId}`);
    }
    const run = await runInContext(contextOf(task, 'claim'), () => this.runs.claim(delivery));
    if (run === 'void') return;
    if (run === 'held') throw new Error('another worker holds this run');
    const stop = new AbortController();
    const work = runInContext(contextOf(task, String(run.id)), () => this.run(task, run, stop));
    const tracked = work.then(
      () => undefined,
      () => undefined,
    );
    this.running.set(stop, tracked);
    const end = await work.finally(() => this.running.delete(stop));
    await this.acknowledge(end, run, delivery);
  }

  /** Waits for what runs, at most so long; then ends it, and whoever is delivered it next runs it anew. */
  async stop(patienceMs: number): Promise<void> {
    const all = () => Promise.all(this.running.values());
    await Promise.race([all(), sleep(patienceMs, undefined, { ref: false })]);
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
    let end: RunOutcomeRecord;
    try {
      const context = this.contextFor(task, run, stop.signal, startedAt + task.timeoutMs);
      end = outcomeOfResult(await Promise.race([task.run(context), rejectWhenAborted(stop.signal)]));
    } catch (error) {
      end = outcomeOfError(error, stop.signal, run.attempt <= task.retries);
    } finally {
      clearTimeout(limit);
      clearInterval(renewal);
    }
    const kept = await this.runs.end(run, end);
    this.log(task, run, end, Date.now() - startedAt, kept);
    return end;
  }

  private contextFor(task: ScheduledTask, run: ClaimedRun, signal: AbortSignal, endsAt: number): TaskContext {
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
          // PostgreSQL ends a statement that outlives its run.
          unit.setStatementTimeout(remainingMs(endsAt));
          return work(unit);
        });
      },
    };
  }

  /** A renewal that fails says nothing about the run; one that finds it gone ends it. */
  private async renew(run: ClaimedRun, stop: AbortController): Promise<void> {
    const held = await this.runs.renew(run).catch(() => true);
    if (!held) stop.abort(new RunAborted(false, 'another worker took it over'));
  }

  private async acknowledge({ outcome }: RunOutcomeRecord, run: ClaimedRun, delivery: TaskDelivery): Promise<void> {
    if (outcome === 'succeeded' || outcome === 'partial' || outcome === 'skipped') return;
    if (outcome !== 'retrying') await delivery.abort();
    throw new Error(`run ${run.id} ${outcome === 'retrying' ? 'is tried again' : 'failed'}; task_runs tells why`);
  }

  private log(task: ScheduledTask, run: ClaimedRun, end: RunOutcomeRecord, tookMs: number, kept: boolean): void {
    const what = `${task.id}: run ${run.id} ${end.outcome} after ${tookMs} ms${kept ? '' : ', but another worker holds it by now'}`;
    if (end.error !== undefined) this.logger.error(`${what}: ${end.error}`);
    else if (end.outcome === 'partial') this.logger.warn(`${what} ${JSON.stringify(end.figures ?? {})}`);
    else this.logger.log(`${what} ${JSON.stringify(end.figures ?? {})}`);
  }
}

function contextOf(task: ScheduledTask, what: string): RequestContext {
  return {
    requestId: `task-run-${what}`,
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

function outcomeOfResult(result: TaskResult | Skipped): RunOutcomeRecord {
  if (isSkipped(result)) return { outcome: 'skipped', figures: { reason: result.skipped } };
  return { outcome: hasFailures(result) ? 'partial' : 'succeeded', figures: result };
}

function outcomeOfError(error: unknown, signal: AbortSignal, mayRetry: boolean): RunOutcomeRecord {
  // What the task threw after its end was called is only the echo of that.
  const cause: unknown = signal.aborted ? signal.reason : error;
  const message = (cause instanceof Error ? cause.message : String(cause)).slice(0, MAX_ERROR);
  if (mayRetry) return { outcome: 'retrying', error: message };
  return { outcome: cause instanceof RunAborted && cause.timedOut ? 'timed_out' : 'failed', error: message };
}
