import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module';
import { PageAuthenticator } from '../platform/http/authenticator';
import { SchedulerModule } from '../platform/scheduler/scheduler.module';
import { TaskWatch } from '../platform/scheduler/task-watch';
import { SCHEDULED_TASKS } from '../tasks/scheduled-tasks';
import { AccessAlertsService } from './access-alerts.service';
import { BackupFilesService } from './backup-files.service';
import { AdminBackupsService } from './backups.service';
import { BackupsController } from './backups.controller';
import { AccountRoutes } from './dashboard/account-routes';
import { ActRoutes } from './dashboard/act-routes';
import { DashboardActs } from './dashboard/acts';
import { Dashboard } from './dashboard/dashboard';
import { DashboardSessions } from './dashboard/dashboard-sessions';
import { DashboardEvents } from './dashboard/events';
import { LiveViews } from './dashboard/live-views';
import { PANELS, type Panel } from './dashboard/panel';
import { ProblemPages } from './dashboard/problem-pages';
import { SignInRoutes } from './dashboard/sign-in-routes';
import { BackupsPanel } from './dashboard/panels/backups.panel';
import { DatabasePanel } from './dashboard/panels/database.panel';
import { KeysPanel } from './dashboard/panels/keys.panel';
import { PartitionsPanel } from './dashboard/panels/partitions.panel';
import { RunsPanel } from './dashboard/panels/runs.panel';
import { SecurityPanel } from './dashboard/panels/security.panel';
import { UserPanel } from './dashboard/panels/user.panel';
import { UsersPanel } from './dashboard/panels/users.panel';
import { DatabaseController } from './database/database.controller';
import { DatabaseMetricsService } from './database/database-metrics.service';
import { EncryptionKeysController } from './encryption-keys.controller';
import { EncryptionKeysService } from './encryption-keys.service';
import { OverviewService } from './overview.service';
import { TaskAlertsService } from './task-alerts.service';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';
import { AdminUsersController } from './users.controller';
import { AdminUsersService } from './users.service';

/** The pages of the dashboard besides the tasks; one exists by being listed here. */
const PANEL_CLASSES = [
  RunsPanel,
  DatabasePanel,
  PartitionsPanel,
  BackupsPanel,
  SecurityPanel,
  UsersPanel,
  UserPanel,
  KeysPanel,
];

/** What admins use: the routes of the scheduled tasks and of accounts, and the dashboard at /admin. */
@Module({
  imports: [AuditModule, SchedulerModule.knowing(SCHEDULED_TASKS)],
  controllers: [BackupsController, DatabaseController, EncryptionKeysController, TasksController, AdminUsersController],
  providers: [
    AccessAlertsService,
    AdminBackupsService,
    BackupFilesService,
    DatabaseMetricsService,
    EncryptionKeysService,
    TaskAlertsService,
    TasksService,
    AdminUsersService,
    OverviewService,
    TaskWatch,
    DashboardSessions,
    { provide: PageAuthenticator, useExisting: DashboardSessions },
    ProblemPages,
    SignInRoutes,
    AccountRoutes,
    ActRoutes,
    DashboardActs,
    DashboardEvents,
    LiveViews,
    ...PANEL_CLASSES,
    { provide: PANELS, inject: PANEL_CLASSES, useFactory: (...panels: Panel[]) => panels },
    Dashboard,
  ],
})
export class AdminModule {}
