import { BullModule } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import type { QueueOptions } from 'bull';
import { Config } from '../config/config';
import { QueueConnections, TaskQueue, TASKS_QUEUE } from './task-queue';

/** Ended entries kept for the dashboard; task_runs is the complete history. */
const MAX_COMPLETED = 100;
const MAX_FAILED = 500;

/** Redelivers 2 s, 6 s, 14 s, … up to two hours later: long enough for PostgreSQL to come back. */
const ATTEMPTS = 12;
const FIRST_RETRY_MS = 2_000;

/** A separate module, because the queue's factory can inject only exported providers. */
@Module({ providers: [QueueConnections], exports: [QueueConnections] })
class QueueConnectionsModule {}

/** The Bull queue of tasks. Every process may add entries; only workers consume them. */
@Module({
  imports: [
    QueueConnectionsModule,
    BullModule.registerQueueAsync({
      name: TASKS_QUEUE,
      imports: [QueueConnectionsModule],
      inject: [QueueConnections, Config],
      useFactory: (connections: QueueConnections, { tasks }: Config): QueueOptions => ({
        prefix: connections.prefix,
        // Bull's types are for its older ioredis; retries, delays and repetitions are tested with the current one.
        createClient: (type) =>
          connections.create(type) as unknown as ReturnType<NonNullable<QueueOptions['createClient']>>,
        // An entry of a silent worker is delivered again, just after its lease in task_runs has expired.
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
