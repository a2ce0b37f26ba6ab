import { InjectQueue } from '@nestjs/bull';
import { Injectable, Logger, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Job as BullJob, Queue } from 'bull';
import { unavailable } from '../errors/app-error';
import { HealthService, type CheckResult } from '../health/health.service';
import { QueueConnections } from './queue-connections';

/** Name of the one queue; each task is a named entry in it. */
export const TASKS_QUEUE = 'tasks';

/** Adding waits for Redis without end by itself; a request must not. */
const REDIS_TIMEOUT_MS = 3_000;

/** What an entry carries: ids only, for queues are plain text in Redis and on the dashboard. */
export interface TaskEntry {
  /** The row of task_runs made before it was queued; absent for a firing of the schedule. */
  readonly runId?: number;
}

/** One entry handed to a worker, once or again. */
export interface TaskDelivery extends TaskEntry {
  readonly taskId: string;
  /** The instant its schedule meant; null for a run that somebody asked for. */
  readonly scheduledFor: Date | null;
  /** Makes a failure final: the queue does not deliver the entry again. */
  abort(): Promise<void>;
}

/** When the queue puts an entry of a task in by itself. */
export interface RepeatSchedule {
  readonly taskId: string;
  readonly cron: string;
  readonly timezone: string;
}

/** A repetition as it stands in Redis. */
export interface ActiveSchedule extends RepeatSchedule {
  readonly key: string;
  /** In the past when no worker has taken the entry that is due. */
  readonly nextAt: Date;
}

/** How many entries are in each state. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/**
 * The queue of tasks. Bull stands behind this file and no other, so that a successor can replace it. Delivery is at
 * least once; that each firing runs once is the claim in task_runs (platform/scheduler).
 */
@Injectable()
export class TaskQueue implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(TaskQueue.name);
  private lastError = '';

  constructor(
    @InjectQueue(TASKS_QUEUE) private readonly queue: Queue<TaskEntry>,
    private readonly connections: QueueConnections,
    @Optional() private readonly health?: HealthService,
  ) {}

  onModuleInit(): void {
    this.health?.register('queue', () => this.check());
    // Every attempt to connect fails alike while Redis is away; one line is enough.
    this.queue.on('error', ({ message }: Error) => {
      if (message !== this.lastError) this.logger.warn(message);
      this.lastError = message;
    });
  }

  /** Waits for no entry: who runs them has stopped by now. */
  async onApplicationShutdown(): Promise<void> {
    await this.queue.close(true).catch((error: Error) => this.logger.warn(error.message));
    this.connections.close();
  }

  /**
   * Queues a run that has its row in task_runs; the same run twice is one entry.
   * @throws AppError `service.unavailable` when Redis does not answer within 3 s
   */
  async add(taskId: string, runId: number): Promise<void> {
    await withTimeout(this.queue.add(taskId, { runId }, { jobId: `run-${runId}` }));
  }

  /** Lets the queue put in an entry by `cron`; the same repetition again changes nothing, and mends what Redis lost. */
  async schedule({ taskId, cron, timezone }: RepeatSchedule): Promise<void> {
    await withTimeout(this.queue.add(taskId, {}, { repeat: { cron, tz: timezone } }));
  }

  /** The repetitions in Redis. */
  async schedules(): Promise<ActiveSchedule[]> {
    const standing = await withTimeout(this.queue.getRepeatableJobs());
    return standing.map(({ key, name, cron, tz, next }) => ({
      key,
      taskId: name ?? '',
      cron,
      timezone: tz ?? 'UTC',
      nextAt: new Date(next),
    }));
  }

  /** Ends a repetition, its waiting entry included. */
  async removeSchedule({ key }: ActiveSchedule): Promise<void> {
    await withTimeout(this.queue.removeRepeatableByKey(key));
  }

  async counts(): Promise<QueueCounts> {
    const { waiting, active, delayed, failed } = await withTimeout(this.queue.getJobCounts());
    return { waiting, active, delayed, failed };
  }

  /**
   * Begins to take entries of every task.
   * @param concurrency how many at once in this process
   * @param work a rejection has the entry delivered again, later and later, unless it was given up
   */
  consume(concurrency: number, work: (delivery: TaskDelivery) => Promise<void>): void {
    this.queue
      .process('*', concurrency, (entry) => work(deliveryOf(entry)))
      // Only a lost or closing connection ends the loop; Bull begins it anew with the next one.
      .catch((error: Error) => this.logger.warn(`entries are not taken: ${error.message}`));
  }

  /** Takes no further entry; what runs goes on. */
  async stopConsuming(): Promise<void> {
    await withTimeout(this.queue.pause(true, true));
  }

  /** The queue has a client of its own, which may be cut off while that of requests is not. */
  private async check(): Promise<CheckResult> {
    await withTimeout(this.queue.client.ping());
    return { status: 'ok' };
  }

  /** Bull's own object, for its board. */
  get bull(): Queue<TaskEntry> {
    return this.queue;
  }
}

/** Bull keeps the instant a repetition meant in the entry's `prevMillis`, from which it reckons the next one. */
function deliveryOf(entry: BullJob<TaskEntry>): TaskDelivery {
  const { prevMillis } = entry.opts as { prevMillis?: number };
  return {
    taskId: entry.name,
    runId: entry.data.runId,
    scheduledFor: prevMillis === undefined ? null : new Date(prevMillis),
    abort: () => entry.discard(),
  };
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(new Error('Redis does not answer the queue'))), REDIS_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, impatience]);
  } finally {
    clearTimeout(timer);
  }
}
