import { InjectQueue } from '@nestjs/bull';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit, Optional } from '@nestjs/common';
import type { Job as BullJob, Queue } from 'bull';
import type { Redis } from 'ioredis';
import { Config } from '../config/config';
import { unavailable } from '../errors/app-error';
import { type CheckResult, HealthService } from '../health/health.service';
import { getDatabaseNumber } from '../redis/redis-clients';
import { createRedis } from '../redis/redis-options';

/** Longest pause between two attempts to reconnect. */
const MAX_RECONNECT_MS = 2_000;

/**
 * The queue's connections to Redis. Bull depends on an older ioredis; the whole process uses one version instead. Bull
 * does not close connections it did not open, so this class does.
 */
@Injectable()
export class QueueConnections {
  /** Contains the database number, so that two installations in one Redis stay separate. */
  readonly prefix: string;
  private readonly connections: Redis[] = [];

  constructor(private readonly config: Config) {
    this.prefix = `gigvault:${getDatabaseNumber(config.redis.url)}`;
  }

  /** Opens a connection. Commands fail after two retries; blocking and subscriber connections wait for a lost Redis. */
  create(type: 'client' | 'subscriber' | 'bclient'): Redis {
    const connection = createRedis(this.config.redis, {
      connectionName: `gigvault queue ${type}`,
      enableReadyCheck: false,
      maxRetriesPerRequest: type === 'client' ? 2 : null,
      retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
    });
    this.connections.push(connection);
    return connection;
  }

  /** Closes all connections without waiting for answers. */
  close(): void {
    for (const connection of this.connections) connection.disconnect();
  }
}

/** Name of the queue; each task is a named entry in it. */
export const TASKS_QUEUE = 'tasks';

/** Longest wait for Redis. Bull itself would wait forever; a request must not. */
const REDIS_TIMEOUT_MS = 3_000;

/** The data of an entry: ids only, because queues are plain text in Redis and on the dashboard. */
export interface TaskEntry {
  /** The row of task_runs inserted before queueing; absent for a run of the schedule. */
  readonly runId?: number;
}

/** One delivery of an entry to a worker, the first or a repeated one. */
export interface TaskDelivery extends TaskEntry {
  readonly taskId: string;
  /** The scheduled instant; null for a requested run. */
  readonly scheduledFor: Date | null;
  /** Makes a failure final: the entry is not delivered again. */
  abort(): Promise<void>;
}

/** The schedule by which the queue adds entries of a task. */
interface RepeatSchedule {
  readonly taskId: string;
  readonly cron: string;
  readonly timezone: string;
}

/** A schedule in Redis. */
export interface ActiveSchedule extends RepeatSchedule {
  readonly key: string;
  /** In the past when no worker has taken the due entry. */
  readonly nextAt: Date;
}

/** Numbers of entries by state. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/**
 * The queue of tasks. Only this folder uses Bull, so that another queue can replace it. Delivery is at least once; the
 * claim in task_runs (platform/scheduler) makes each scheduled run happen once.
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
    // Repeated errors, such as those of reconnecting, are logged once.
    this.queue.on('error', ({ message }: Error) => {
      if (message !== this.lastError) this.logger.warn(message);
      this.lastError = message;
    });
  }

  /** Closes the queue without waiting for entries: the task runner has stopped before. */
  async onApplicationShutdown(): Promise<void> {
    await this.queue.close(true).catch((error: Error) => this.logger.warn(error.message));
    this.connections.close();
  }

  /**
   * Queues a run that has a row in task_runs. Queueing a run twice adds one entry.
   * @throws AppError `service.unavailable` when Redis does not answer within 3 s
   */
  async add(taskId: string, runId: number): Promise<void> {
    await withTimeout(this.queue.add(taskId, { runId }, { jobId: `run-${runId}` }));
  }

  /** Schedules entries by `cron`. Repeating the call changes nothing, but restores a schedule that Redis lost. */
  async schedule({ taskId, cron, timezone }: RepeatSchedule): Promise<void> {
    await withTimeout(this.queue.add(taskId, {}, { repeat: { cron, tz: timezone } }));
  }

  /** Returns the schedules in Redis. */
  async schedules(): Promise<ActiveSchedule[]> {
    const repeatable = await withTimeout(this.queue.getRepeatableJobs());
    return repeatable.map(({ key, name, cron, tz, next }) => ({
      key,
      taskId: name ?? '',
      cron,
      timezone: tz ?? 'UTC',
      nextAt: new Date(next),
    }));
  }

  /** Removes a schedule with its waiting entry. */
  async removeSchedule({ key }: ActiveSchedule): Promise<void> {
    await withTimeout(this.queue.removeRepeatableByKey(key));
  }

  async counts(): Promise<QueueCounts> {
    const { waiting, active, delayed, failed } = await withTimeout(this.queue.getJobCounts());
    return { waiting, active, delayed, failed };
  }

  /**
   * Starts consuming the entries of all tasks.
   * @param concurrency maximum at once in this process
   * @param work when it rejects, the entry is delivered again with growing delays, unless it was aborted
   */
  consume(concurrency: number, work: (delivery: TaskDelivery) => Promise<void>): void {
    this.queue
      .process('*', concurrency, (entry) => work(toDelivery(entry)))
      // Only a lost or closing connection ends the loop; Bull restarts it with the next one.
      .catch((error: Error) => this.logger.warn(`queue entries are not consumed: ${error.message}`));
  }

  /** Stops consuming entries; running ones continue. */
  async stopConsuming(): Promise<void> {
    await withTimeout(this.queue.pause(true, true));
  }

  /** Checks the queue's own Redis client, which may fail separately from that of requests. */
  private async check(): Promise<CheckResult> {
    await withTimeout(this.queue.client.ping());
    return { status: 'ok' };
  }

  /** Bull's queue object, for Bull board. */
  get bull(): Queue<TaskEntry> {
    return this.queue;
  }
}

/** Converts a Bull job. Bull stores the scheduled instant in `prevMillis`. */
function toDelivery(entry: BullJob<TaskEntry>): TaskDelivery {
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
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailable(new Error('Redis did not answer the queue in time'))),
      REDIS_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
