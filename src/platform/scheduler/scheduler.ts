import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { runInContext } from '../context/request-context';
import { TaskQueue, type ActiveSchedule } from '../queues/task-queue';
import { type ScheduledTask, TaskRegistry } from './scheduled-task';
import { TaskRunner } from './task-runner';
import { TaskRuns } from './task-runs';

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
