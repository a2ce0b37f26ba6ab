import { Module } from '@nestjs/common';
import { ConfigModule } from './platform/config/config.module';
import { DatabaseModule } from './platform/database/database.module';
import { SchedulerModule } from './platform/scheduler/scheduler.module';
import { SCHEDULED_TASKS } from './tasks/scheduled-tasks';

/** Everything the worker runs: the schedule and its tasks, no routes. */
@Module({
  imports: [ConfigModule, DatabaseModule, SchedulerModule.running(SCHEDULED_TASKS)],
})
export class WorkerModule {}
