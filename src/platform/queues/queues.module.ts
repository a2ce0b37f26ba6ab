import { BullModule } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import type { QueueOptions } from 'bull';
import { Config } from '../config/config';
import { QueueConnections } from './queue-connections';
import { TASKS_QUEUE, TaskQueue } from './task-queue';

/** Entries that ended are kept for the dashboard; the history proper is task_runs. */
const MAX_COMPLETED = 100;
const MAX_FAILED = 500;

/** Deliveries after the first, 2 s, 6 s, 14 s, … up to two hours later: long enough for PostgreSQL to come back. */
const ATTEMPTS = 12;
const FIRST_RETRY_MS = 2_000;

/** A module of its own, because the queue's factory can only be given what a module exports. */
@Module({ providers: [QueueConnections], exports: [QueueConnections] })
class QueueConnectionsModule {}

/** The queue of tasks over Bull. Only a worker takes entries from it; every process may put them in. */
@Module({
  imports: [
    QueueConnectionsModule,
    BullModule.registerQueueAsync({
      name: TASKS_QUEUE,
      imports: [QueueConnectionsModule],
      inject: [QueueConnections, Config],
      useFactory: (connections: QueueConnections, { tasks }: Config): QueueOptions => ({
        prefix: connections.prefix,
        // Typed for the older ioredis that Bull brings along; it was tried with ours (retries, delays, repetitions).
        createClient: (type) =>
          connections.create(type) as unknown as ReturnType<NonNullable<QueueOptions['createClient']>>,
        // An entry whose worker has been silent for a while is delivered again; who takes it finds the lease just over.
        settings: {
          lockDuration: tasks.leaseMs * 0.75,
          stalledInterval: tasks.leaseMs * 0.5,
          maxStalledCount: ATTEMPTS,
        },
        defaultJobOptions: {
          attempts: ATTEMPTS,
          backoff: { type: 'exponential', delay: FIRST_RETRY_MS },
          removeOnComplete: MAX_COMPLETED,
          removeOnFail: MAX_FAILED,
        },
      }),
    }),
  ],
  providers: [TaskQueue],
  exports: [TaskQueue],
})
export class QueuesModule {}
