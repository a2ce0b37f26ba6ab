import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type Abstract, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { runInContext, type RequestContext } from '../context/request-context';
import { SystemDatabase } from '../database/system-database';
import type { Unit } from '../database/unit';
import type { TaskDelivery } from '../queues/task-queue';
import { Schedule } from './schedule';
import {
  hasFailures,
  isSkipped,
  type Figures,
  type ScheduledTask,
  type Skipped,
  type TaskContext,
} from './scheduled-task';
import { TaskRuns, type HeldRun, type RunEnd } from './task-runs';

/** The history is for people; what matters of an error stands at its beginning. */
const MAX_ERROR = 1_000;

const READ_ONLY = `SELECT set_config('transaction_read_only', 'on', true)`;

/** Why a run was ended from outside. */
class RunEnded extends Error {
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
    private readonly schedule: Schedule,
    private readonly runs: TaskRuns,
    private readonly database: SystemDatabase,
    private readonly modules: ModuleRef,
  ) {}

  /**
   * Runs one delivery to its end, unless it has run elsewhere.
   * @throws Error without details when it is to be delivered again, or was given up; the details are in task_runs
   */
  async take(delivery: TaskDelivery): Promise<void> {
    const task = this.schedule.find(delivery.taskId);
    if (!task) {
      await delivery.giveUp();
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
    await this.answer(end, run, delivery);
  }

  /** Waits for what runs, at most so long; then ends it, and whoever is delivered it next runs it anew. */
  async stop(patienceMs: number): Promise<void> {
    const all = () => Promise.all(this.running.values());
    await Promise.race([all(), sleep(patienceMs, undefined, { ref: false })]);
    for (const controller of this.running.keys()) controller.abort(new RunEnded(false, 'its worker was stopped'));
    await Promise.race([all(), sleep(2_000, undefined, { ref: false })]);
  }

  private async run(task: ScheduledTask, run: HeldRun, stop: AbortController): Promise<RunEnd> {
    const startedAt = Date.now();
    const renewal = setInterval(() => void this.renew(run, stop), this.runs.renewEveryMs);
    const limit = setTimeout(
      () => stop.abort(new RunEnded(true, `took longer than ${task.timeoutMs} ms`)),
      task.timeoutMs,
    );
    let end: RunEnd;
    try {
      const context = this.contextFor(task, run, stop.signal, startedAt + task.timeoutMs);
      end = endOf(await Promise.race([task.run(context), ended(stop.signal)]));
    } catch (error) {
      end = failureOf(error, stop.signal, run.attempt <= task.retries);
    } finally {
      clearTimeout(limit);
      clearInterval(renewal);
    }
    const kept = await this.runs.end(run, end);
    this.log(task, run, end, Date.now() - startedAt, kept);
    return end;
  }

  private contextFor(task: ScheduledTask, run: HeldRun, signal: AbortSignal, endsAt: number): TaskContext {
    return {
      signal,
      startedBy: run.startedBy,
      startedById: run.startedById,
      lastFigures: run.lastFigures,
      service: <T>(type: Type<T> | Abstract<T>) => this.modules.get(type, { strict: false }),
      look: <T>(work: (unit: Unit) => Promise<T>) => {
        signal.throwIfAborted();
        return this.database.asScheduler(async (unit) => {
          unit.setStatementTimeout(leftUntil(endsAt));
          await unit.query(READ_ONLY);
          return work(unit);
        });
      },
      asWorker: <T>(work: (unit: Unit) => Promise<T>) => {
        signal.throwIfAborted();
        return this.database.asWorker(`task ${task.id}`, (unit) => {
          // PostgreSQL ends a statement that outlives its run.
          unit.setStatementTimeout(leftUntil(endsAt));
          return work(unit);
        });
      },
    };
  }

  /** A renewal that fails says nothing about the run; one that finds it gone ends it. */
  private async renew(run: HeldRun, stop: AbortController): Promise<void> {
    const held = await this.runs.renew(run).catch(() => true);
    if (!held) stop.abort(new RunEnded(false, 'another worker took it over'));
  }

  private async answer({ outcome }: RunEnd, run: HeldRun, delivery: TaskDelivery): Promise<void> {
    if (outcome === 'succeeded' || outcome === 'partial' || outcome === 'skipped') return;
    if (outcome !== 'retrying') await delivery.giveUp();
    throw new Error(`run ${run.id} ${outcome === 'retrying' ? 'is tried again' : 'failed'}; task_runs tells why`);
  }

  private log(task: ScheduledTask, run: HeldRun, end: RunEnd, tookMs: number, kept: boolean): void {
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

function leftUntil(endsAt: number): number {
  return Math.max(1, endsAt - Date.now());
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function endOf(result: Figures | Skipped): RunEnd {
  if (isSkipped(result)) return { outcome: 'skipped', figures: { reason: result.skipped } };
  return { outcome: hasFailures(result) ? 'partial' : 'succeeded', figures: result };
}

function failureOf(error: unknown, signal: AbortSignal, mayRetry: boolean): RunEnd {
  // What the task threw after its end was called is only the echo of that.
  const cause: unknown = signal.aborted ? signal.reason : error;
  const message = (cause instanceof Error ? cause.message : String(cause)).slice(0, MAX_ERROR);
  if (mayRetry) return { outcome: 'retrying', error: message };
  return { outcome: cause instanceof RunEnded && cause.timedOut ? 'timed_out' : 'failed', error: message };
}
