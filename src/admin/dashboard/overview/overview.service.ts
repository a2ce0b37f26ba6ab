import { Injectable } from '@nestjs/common';
import { SystemDatabase, type AdminReader } from '../../../platform/database/system-database';
import type { UnitOfWork } from '../../../platform/database/unit-of-work';
import { HealthService } from '../../../platform/health/health.service';
import { TaskQueue, type QueueCounts } from '../../../platform/queues/task-queue';
import { Config } from '../../../platform/config/config';
import { BackupFilesService } from '../../api/backups/backup-files.service';
import { AccessAlertsService } from './access-alerts.service';
import { BACKUP_STATE, type BackupState } from '../../api/backups/backups.queries';
import { DatabaseMetricsService } from '../../api/database/database-metrics.service';
import { type TaskDto, type TaskRunDto } from '../../api/tasks/tasks.dto';
import {
  checkAiSpending,
  checkBackups,
  checkConnections,
  checkDeliveries,
  checkJobStatistics,
  checkPartitions,
  checkRuns,
  checkSchedule,
  checkServices,
  checkSignIns,
  type HealthStatus,
} from './health-statuses';
import { selectLatestRuns, selectRecentRuns, type RecentRun } from '../../api/tasks/tasks.queries';
import { AdminTasksService, TaskAlertsService } from '../../api/tasks/admin-tasks.service';

/** A run that is not over. */
export interface OpenRun {
  readonly id: number;
  readonly task: string;
  readonly outcome: 'queued' | 'running' | 'retrying';
  readonly attempts: number;
  /** How long it waits or runs, in milliseconds. */
  readonly forMs: number;
  readonly error: string | null;
}

export const JOB_STATISTICS_REFRESHED_AT = `SELECT refreshed_at AS at FROM app.view_refreshes WHERE view_name = 'user_job_stats'`;

/** Failures an admin has not put right: no later run of the task has succeeded; a skipped one did nothing and proves nothing. */
export const UNRESOLVED_FAILURES = `
  SELECT r.id, r.task, r.ended_at AS "endedAt", r.error FROM task_runs r
  WHERE r.outcome IN ('failed', 'timed_out') AND NOT EXISTS (
    SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id AND later.outcome IN ('succeeded', 'partial'))
  ORDER BY r.id DESC LIMIT 20`;

/** What waits, runs or is tried again. */
export const OPEN_RUNS = `
  SELECT r.id, r.task, r.outcome, r.attempts, r.error,
    round(extract(epoch FROM now() - CASE r.outcome WHEN 'running' THEN r.started_at ELSE r.created_at END) * 1000)::bigint AS "forMs"
  FROM task_runs r WHERE r.outcome IN ('queued', 'running', 'retrying') ORDER BY r.id LIMIT 100`;

/** What all users together have reserved and spent on AI. */
export interface AiSpending {
  readonly reservedUsd: string;
  readonly daySpentUsd: string;
  readonly monthSpentUsd: string;
}

/** A counter of an older day counts for nothing. */
export const AI_SPENDING = `
  SELECT reserved_usd::text AS "reservedUsd",
    (CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_spent_usd ELSE 0 END)::text AS "daySpentUsd",
    (CASE WHEN month = date_trunc('month', now() AT TIME ZONE 'UTC')::date THEN month_spent_usd ELSE 0 END)::text AS "monthSpentUsd"
  FROM app.ai_spending`;

/** Tasks whose latest run that did anything, within a day, failed in part. */
export const PARTIAL_RUNS = `
  SELECT DISTINCT ON (r.task) r.id, r.task, r.figures FROM task_runs r
  WHERE r.outcome = 'partial' AND r.ended_at > now() - interval '1 day' AND NOT EXISTS (
    SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id
      AND later.outcome IN ('succeeded', 'partial', 'failed', 'timed_out'))
  ORDER BY r.task, r.id DESC`;

/** What fails for users now, counted over all of them. */
export interface ServiceFaults {
  readonly syncs: number;
  readonly failingSyncs: number;
  readonly failingDeliveries: number;
  readonly lostDeliveries: number;
  readonly failingMails: number;
  readonly lostMails: number;
}

export const SERVICE_FAULTS = `
  SELECT syncs, failing_syncs AS "failingSyncs", failing_deliveries AS "failingDeliveries", lost_deliveries AS "lostDeliveries",
    failing_mails AS "failingMails", lost_mails AS "lostMails"
  FROM app.count_service_failures()`;

const RUNS_SHOWN = 12;

/** What the first page of the dashboard shows. */
export interface Overview {
  readonly readAt: Date;
  readonly statuses: readonly HealthStatus[];
  readonly tasks: readonly TaskDto[];
  /** The latest runs of each task that did something, oldest first, for a small picture. */
  readonly recentRuns: readonly RecentRun[];
  readonly latestRuns: readonly TaskRunDto[];
  readonly queue: QueueCounts | null;
}

/** Tells whether the installation is well, or why not. */
@Injectable()
export class OverviewService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly health: HealthService,
    private readonly queue: TaskQueue,
    private readonly tasks: AdminTasksService,
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
  async read(read: AdminReader = (work) => this.system.asAdmin('open the dashboard', work)): Promise<Overview> {
    const [readiness, facts, coverage, queue] = await Promise.all([
      this.health.ready(),
      read((unit) => this.loadFacts(unit)),
      this.database.readCoverage(),
      this.queue.counts().catch(() => null),
    ]);
    const at = new Date();
    const { refreshed, unmended, partial, faults, open, runs, recent, alerts, troubles, tasks, backups, spending } =
      facts;
    const file = backups[0]?.file ? await this.backupFiles.checkFile(backups[0].file) : null;
    const { installationDailyCeilingUsd: dailyUsd, installationMonthlyCeilingUsd: monthlyUsd } = this.config.ai;
    const lights = [
      ...checkServices(readiness),
      checkSchedule(tasks, open, troubles, at),
      checkRuns(unmended, open, partial),
      ...faults.flatMap((row) => [checkConnections(row), checkDeliveries(row)]),
      checkJobStatistics(refreshed[0]?.at ?? null, at),
      checkPartitions(coverage),
      checkBackups(backups[0], file, this.config.backups.maxAgeHours, at),
      checkSignIns(alerts),
      ...spending.map((row) => checkAiSpending(row, { dailyUsd, monthlyUsd })),
    ];
    return { readAt: at, statuses: lights, tasks, recentRuns: recent, latestRuns: runs, queue };
  }

  private async loadFacts(unit: UnitOfWork) {
    const [refreshed, unmended, partial, faults, open, runs, recent, alerts, troubles, tasks, backups, spending] =
      await Promise.all([
        unit.query<{ at: Date }>(JOB_STATISTICS_REFRESHED_AT),
        unit.query<Pick<TaskRunDto, 'id' | 'task' | 'error'>>(UNRESOLVED_FAILURES),
        unit.query<Pick<TaskRunDto, 'id' | 'task' | 'figures'>>(PARTIAL_RUNS),
        unit.query<ServiceFaults>(SERVICE_FAULTS),
        unit.query<OpenRun>(OPEN_RUNS),
        unit.query<TaskRunDto>(...selectLatestRuns(RUNS_SHOWN)),
        unit.query<RecentRun>(...selectRecentRuns(this.tasks.ids)),
        this.alerts.listOpen(unit),
        this.taskAlerts.listOpen(unit),
        this.tasks.readStates(unit),
        unit.query<BackupState>(BACKUP_STATE),
        unit.query<AiSpending>(AI_SPENDING),
      ]);
    return { refreshed, unmended, partial, faults, open, runs, recent, alerts, troubles, tasks, backups, spending };
  }
}
