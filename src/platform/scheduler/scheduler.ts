import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { runInContext } from '../context/request-context';
import { TaskQueue, type ActiveSchedule } from '../queues/task-queue';
import { type ScheduledTask, TaskRegistry } from './scheduled-task';
import { TaskRunner } from './task-runner';
import { TaskRuns } from './task-runs';

/** How many runs a worker has at once: a long one must not hold up the others. */
const CONCURRENCY = 4;

/** How often the schedule in Redis is compared with the declared one, which also mends a Redis that forgot. */
const RECONCILE_INTERVAL_MS = 60_000;

/** How long a stopping worker lets its runs finish. */
const STOP_TIMEOUT_MS = 15_000;

/**
 * The worker's side of the schedule: keeps Redis at what is declared, and takes what falls due. Any number of workers
 * may do so at once.
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
   * Makes Redis repeat exactly what is declared: a changed cron or a task that is gone leaves no old repetition behind.
   * Puts runs that wait in task_runs into the queue again, and closes those that were lost.
   */
  async reconcile(): Promise<void> {
    const standing = await this.queue.schedules();
    for (const repetition of standing) {
      if (!this.schedule.tasks.some((task) => isScheduleOf(task, repetition))) {
        await this.queue.removeSchedule(repetition);
        this.logger.log(`${repetition.taskId}: no longer repeated at ${repetition.cron}`);
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

  /** Without PostgreSQL or Redis the worker goes on; the next round comes within a minute. */
  private async inContext(work: () => Promise<void>): Promise<void> {
    const context = {
      requestId: 'scheduler',
      ip: null,
      userAgent: null,
      operation: 'scheduler',
      actorKind: 'task' as const,
    };
    await runInContext(context, work).catch((error: Error) =>
      this.logger.warn(`schedule not compared: ${error.message}`),
    );
  }
}

function isScheduleOf(task: ScheduledTask, { taskId, cron, timezone }: ActiveSchedule): boolean {
  return task.id === taskId && task.cron === cron && task.timezone === timezone;
}
