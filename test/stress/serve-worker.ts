import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../../src/platform/config/config.module';
import { DatabaseModule } from '../../src/platform/database/database.module';
import type { ScheduledTask } from '../../src/platform/scheduler/scheduled-task';
import { SchedulerModule } from '../../src/platform/scheduler/scheduler.module';

/** Makes this process a worker with a schedule of the proof's own; prints `ready`, and then a line a run. */
export function runWorker(tasks: readonly ScheduledTask[]): void {
  @Module({ imports: [ConfigModule, DatabaseModule, SchedulerModule.forWorker(tasks)] })
  class StressWorkerModule {}

  NestFactory.createApplicationContext(StressWorkerModule, {
    logger: ['log', 'warn', 'error'],
    abortOnError: false,
  }).then(
    () => console.log('ready'),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
