import { Injectable } from '@nestjs/common';
import { SystemDatabase, type ReadAsAdmin } from '../platform/database/system-database';
import type { Unit } from '../platform/database/unit';
import { HealthChecks } from '../platform/health/health-checks';
import { TaskQueue, type QueueCounts } from '../platform/queues/task-queue';
import { Config } from '../platform/config/config';
import { BackupFilesService } from './backup-files.service';
import { AccessAlertsService } from './access-alerts.service';
import { BACKUP_STATE, type BackupState } from './backups.queries';
import { DatabaseMetricsService } from './database/database-metrics.service';
import type { TaskDto } from './dto/task.dto';
import type { TaskRunDto } from './dto/task-run.dto';
import type { Light } from './light';
import {
  aiLight,
  backupsLight,
  connectionsLight,
  deliveriesLight,
  partitionsLight,
  runsLight,
  scheduleLight,
  serviceLights,
  signInsLight,
  viewLight,
} from './lights';
import {
  AI_SPENDING,
  OPEN_RUNS,
  PARTIAL_RUNS,
  SERVICE_FAULTS,
  UNMENDED,
  VIEW_REFRESHED,
  type AiSpending,
  type OpenRunRow,
  type ServiceFaults,
} from './overview.queries';
import { latestRuns, recentRuns, type RecentRun } from './tasks.queries';
import { TaskAlertsService } from './task-alerts.service';
import { TasksService } from './tasks.service';

const RUNS_SHOWN = 12;

/** What the first page of the dashboard shows. */
export interface Overview {
  readonly at: Date;
  readonly lights: readonly Light[];
  readonly tasks: readonly TaskDto[];
  /** The latest runs of each task that did something, oldest first, for a small picture. */
  readonly recent: readonly RecentRun[];
  readonly runs: readonly TaskRunDto[];
  readonly queue: QueueCounts | null;
}

/** Tells whether the installation is well, or why not. */
@Injectable()
export class OverviewService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly health: HealthChecks,
    private readonly queue: TaskQueue,
    private readonly tasks: TasksService,
    private readonly database: DatabaseMetricsService,
    private readonly alerts: AccessAlertsService,
    private readonly taskAlerts: TaskAlertsService,
    private readonly backupFiles: BackupFilesService,
    private readonly config: Config,
  ) {}

  /**
   * Returns the state of now.
   * @param read a watch of the admin; without one it runs as gigvault_admin and the reading is a security event
   */
  async get(read: ReadAsAdmin = (work) => this.system.asAdmin('open the dashboard', work)): Promise<Overview> {
    const [readiness, facts, coverage, queue] = await Promise.all([
      this.health.ready(),
      read((unit) => this.facts(unit)),
      this.database.coverage(),
      this.queue.counts().catch(() => null),
    ]);
    const at = new Date();
    const { refreshed, unmended, partial, faults, open, runs, recent, alerts, troubles, tasks, backups, spending } =
      facts;
    const file = backups[0]?.file ? await this.backupFiles.check(backups[0].file) : null;
    const { installationDailyCeilingUsd: dailyUsd, installationMonthlyCeilingUsd: monthlyUsd } = this.config.ai;
    const lights = [
      ...serviceLights(readiness),
      scheduleLight(tasks, open, troubles, at),
      runsLight(unmended, open, partial),
      ...faults.flatMap((row) => [connectionsLight(row), deliveriesLight(row)]),
      viewLight(refreshed[0]?.at ?? null, at),
      partitionsLight(coverage),
      backupsLight(backups[0], file, this.config.backups.maxAgeHours, at),
      signInsLight(alerts),
      ...spending.map((row) => aiLight(row, { dailyUsd, monthlyUsd })),
    ];
    return { at, lights, tasks, recent, runs, queue };
  }

  private async facts(unit: Unit) {
    const [refreshed, unmended, partial, faults, open, runs, recent, alerts, troubles, tasks, backups, spending] =
      await Promise.all([
        unit.query<{ at: Date }>(VIEW_REFRESHED),
        unit.query<Pick<TaskRunDto, 'id' | 'task' | 'error'>>(UNMENDED),
        unit.query<Pick<TaskRunDto, 'id' | 'task' | 'figures'>>(PARTIAL_RUNS),
        unit.query<ServiceFaults>(SERVICE_FAULTS),
        unit.query<OpenRunRow>(OPEN_RUNS),
        unit.query<TaskRunDto>(...latestRuns(RUNS_SHOWN)),
        unit.query<RecentRun>(...recentRuns(this.tasks.ids)),
        this.alerts.standing(unit),
        this.taskAlerts.standing(unit),
        this.tasks.states(unit),
        unit.query<BackupState>(BACKUP_STATE),
        unit.query<AiSpending>(AI_SPENDING),
      ]);
    return { refreshed, unmended, partial, faults, open, runs, recent, alerts, troubles, tasks, backups, spending };
  }
}
