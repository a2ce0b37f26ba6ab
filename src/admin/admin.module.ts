import { Module } from '@nestjs/common';
import { SchedulerModule } from '../platform/scheduler/scheduler.module';
import { SCHEDULED_TASKS } from '../tasks/scheduled-tasks';
import { Dashboard } from './dashboard/dashboard';
import { DashboardSessions } from './dashboard/dashboard-sessions';
import { OverviewService } from './overview.service';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';

/** What admins use: the routes of the scheduled tasks, and the dashboard at /admin. */
@Module({
  imports: [SchedulerModule.knowing(SCHEDULED_TASKS)],
  controllers: [TasksController],
  providers: [TasksService, OverviewService, DashboardSessions, Dashboard],
})
export class AdminModule {}
