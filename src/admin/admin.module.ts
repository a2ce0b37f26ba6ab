import { Module } from '@nestjs/common';
import { SchedulerModule } from '../platform/scheduler/scheduler.module';
import { SCHEDULED_TASKS } from '../tasks/scheduled-tasks';
import { AccessAlertsService } from './access-alerts.service';
import { Dashboard } from './dashboard/dashboard';
import { DashboardSessions } from './dashboard/dashboard-sessions';
import { DatabaseController } from './database/database.controller';
import { DatabaseMetricsService } from './database/database-metrics.service';
import { EncryptionKeysController } from './encryption-keys.controller';
import { EncryptionKeysService } from './encryption-keys.service';
import { OverviewService } from './overview.service';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';
import { AdminUsersController } from './users.controller';
import { AdminUsersService } from './users.service';

/** What admins use: the routes of the scheduled tasks and of accounts, and the dashboard at /admin. */
@Module({
  imports: [SchedulerModule.knowing(SCHEDULED_TASKS)],
  controllers: [DatabaseController, EncryptionKeysController, TasksController, AdminUsersController],
  providers: [
    AccessAlertsService,
    DatabaseMetricsService,
    EncryptionKeysService,
    TasksService,
    AdminUsersService,
    OverviewService,
    DashboardSessions,
    Dashboard,
  ],
})
export class AdminModule {}
