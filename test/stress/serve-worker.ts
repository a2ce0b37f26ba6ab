import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../../src/platform/config/config.module';
import { DatabaseModule } from '../../src/platform/database/database.module';
import type { ScheduledTask } from '../../src/platform/scheduler/scheduled-task';
import { SchedulerModule } from '../../src/platform/scheduler/scheduler.module';

/** Turns this process into a worker with the scenario's schedule; prints `ready`, and then one line for each run. */
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
