import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module';
import { PageAuthenticator } from '../platform/http/access/access';
import { SchedulerModule } from '../platform/scheduler/scheduler.module';
import { MissedRunMonitor } from '../platform/task-alerts/missed-run-monitor';
import { UpworkModule } from '../upwork/upwork.module';
import { SCHEDULED_TASKS } from '../scheduled-tasks';
import { AccessAlertsService } from './dashboard/overview/access-alerts.service';
import { OverviewService } from './dashboard/overview/overview.service';
import { BackupFilesService } from './api/backups/backup-files.service';
import { AdminBackupsService } from './api/backups/admin-backups.service';
import { AdminBackupsController } from './api/backups/admin-backups.controller';
import { AccountRoutes } from './dashboard/account.routes';
import { ActionRoutes } from './dashboard/action.routes';
import { DashboardActionsService } from './dashboard/dashboard-actions.service';
import { DashboardRoutes } from './dashboard/dashboard.routes';
import { DashboardSessionsService } from './dashboard/dashboard-sessions.service';
import { EventStreamsService } from './dashboard/event-streams.service';
import { LivePartsService } from './dashboard/live-parts.service';
import { PANELS, type Panel } from './dashboard/components/page';
import { ErrorPagesService } from './dashboard/error-pages.service';
import { SignInRoutes } from './dashboard/sign-in.routes';
import { BackupsPanel } from './dashboard/panels/backups.panel';
import { DatabasePanel } from './dashboard/panels/database.panel';
import { KeysPanel } from './dashboard/panels/keys.panel';
import { EmailPanel, MailPanel } from './dashboard/panels/mail.panel';
import { PartitionsPanel } from './dashboard/panels/partitions.panel';
import { RunsPanel } from './dashboard/panels/runs.panel';
import { SecurityPanel } from './dashboard/panels/security.panel';
import { UserPanel, UsersPanel } from './dashboard/panels/users.panel';
import { DatabaseController } from './api/database/database.controller';
import { DatabaseMetricsService } from './api/database/database-metrics.service';
import { EncryptionKeysController } from './api/encryption-keys/encryption-keys.controller';
import { EncryptionKeysService } from './api/encryption-keys/encryption-keys.service';
import { UpworkCallMetrics } from './dashboard/overview/upwork-call-metrics';
import { LogVerificationsController } from './api/log-verifications/log-verifications.controller';
import { LogVerificationsService } from './api/log-verifications/log-verifications.service';
import { AdminTasksService, TaskAlertsService } from './api/tasks/admin-tasks.service';
import { AdminTasksController } from './api/tasks/admin-tasks.controller';
import { AdminUsersController } from './api/users/admin-users.controller';
import { AdminUsersService } from './api/users/admin-users.service';

/** The pages of the dashboard, besides overview, tasks and runs; a panel must be listed here. */
const PANEL_CLASSES = [
  RunsPanel,
  DatabasePanel,
  PartitionsPanel,
  BackupsPanel,
  SecurityPanel,
  UsersPanel,
  UserPanel,
  KeysPanel,
  MailPanel,
  EmailPanel,
];

/** The API routes for admins and the dashboard at /admin. */
@Module({
  imports: [AuditModule, UpworkModule, SchedulerModule.forApi(SCHEDULED_TASKS)],
  controllers: [
    AdminBackupsController,
    DatabaseController,
    EncryptionKeysController,
    LogVerificationsController,
    AdminTasksController,
    AdminUsersController,
  ],
  providers: [
    AccessAlertsService,
    AdminBackupsService,
    BackupFilesService,
    DatabaseMetricsService,
    EncryptionKeysService,
    LogVerificationsService,
    TaskAlertsService,
    AdminTasksService,
    AdminUsersService,
    OverviewService,
    UpworkCallMetrics,
    MissedRunMonitor,
    DashboardSessionsService,
    { provide: PageAuthenticator, useExisting: DashboardSessionsService },
    ErrorPagesService,
    SignInRoutes,
    AccountRoutes,
    ActionRoutes,
    DashboardActionsService,
    EventStreamsService,
    LivePartsService,
    ...PANEL_CLASSES,
    { provide: PANELS, inject: PANEL_CLASSES, useFactory: (...panels: Panel[]) => panels },
    DashboardRoutes,
  ],
})
export class AdminModule {}
