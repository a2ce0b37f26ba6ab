import { Injectable } from '@nestjs/common';
import { SystemDatabase, type AdminReader } from '../../../platform/database/system-database';
import type { UnitOfWork } from '../../../platform/database/unit-of-work';
import { HealthService } from '../../../platform/health/health.service';
import { TaskQueue, type QueueCounts } from '../../../platform/queues/task-queue';
import { Config } from '../../../platform/config/config';
import { BackupFilesService } from '../../api/backups/backup-files.service';
import { UpworkRateLimiterService } from '../../../upwork/upwork-rate-limiter.service';
import { RefusedDocumentsService } from '../../../upwork/refused-documents.service';
import { BACKUP_STATE, type BackupState } from '../../api/backups/backups.queries';
import { DatabaseMetricsService } from '../../api/database/database-metrics.service';
import type { TaskDto, TaskRunDto } from '../../api/tasks/tasks.dto';
import {
  checkAiSpending,
  checkBackups,
  checkCapabilities,
  checkConnections,
  checkDeliveries,
  checkJobStatistics,
  checkPartitions,
  checkRuns,
  checkSchedule,
  checkServices,
  checkSignIns,
  checkUpworkCalls,
  checkUpworkDocuments,
  type HealthStatus,
} from './health-statuses';
import { selectLatestRuns, selectRecentRuns, type RecentRun } from '../../api/tasks/tasks.queries';
import { AccessAlertsService } from './access-alerts.service';
import { AdminTasksService, TaskAlertsService } from '../../api/tasks/admin-tasks.service';

/** An unfinished run. */
export interface OpenRun {
  readonly id: number;
  readonly task: string;
  readonly outcome: 'queued' | 'running' | 'retrying';
  readonly attempts: number;
  /** Time since it was queued or started, in milliseconds. */
  readonly forMs: number;
  readonly error: string | null;
}

export const JOB_STATISTICS_REFRESHED_AT = `
  SELECT refreshed_at AS at FROM app.view_refreshes WHERE view_name = 'user_job_stats'`;

/** Failed runs without a later success of the task; a skipped run does not count as a success. */
export const UNRESOLVED_FAILURES = `
  SELECT r.id, r.task, r.ended_at AS "endedAt", r.error FROM task_runs r
  WHERE r.outcome IN ('failed', 'timed_out') AND NOT EXISTS (
    SELECT FROM task_runs later
    WHERE later.task = r.task AND later.id > r.id AND later.outcome IN ('succeeded', 'partial'))
  ORDER BY r.id DESC LIMIT 20`;

export const OPEN_RUNS = `
  SELECT r.id, r.task, r.outcome, r.attempts, r.error,
    round(extract(epoch FROM now() - CASE r.outcome WHEN 'running' THEN r.started_at ELSE r.created_at END)
      * 1000)::bigint AS "forMs"
  FROM task_runs r WHERE r.outcome IN ('queued', 'running', 'retrying') ORDER BY r.id LIMIT 100`;

/** AI costs reserved and spent by all users. */
export interface AiSpending {
  readonly reservedUsd: string;
  readonly daySpentUsd: string;
  readonly monthSpentUsd: string;
}

/** Counters of an earlier day or month count as 0. */
export const AI_SPENDING = `
  SELECT reserved_usd::text AS "reservedUsd",
    (CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_spent_usd ELSE 0 END)::text AS "daySpentUsd",
    (CASE WHEN month = date_trunc('month', now() AT TIME ZONE 'UTC')::date THEN month_spent_usd ELSE 0 END)::text
      AS "monthSpentUsd"
  FROM app.ai_spending`;

/** Partial failures of the last 24 hours that are the latest finished run of their task; skipped runs do not count. */
export const PARTIAL_RUNS = `
  SELECT DISTINCT ON (r.task) r.id, r.task, r.figures FROM task_runs r
  WHERE r.outcome = 'partial' AND r.ended_at > now() - interval '1 day' AND NOT EXISTS (
    SELECT FROM task_runs later WHERE later.task = r.task AND later.id > r.id
      AND later.outcome IN ('succeeded', 'partial', 'failed', 'timed_out'))
  ORDER BY r.task, r.id DESC`;

/** Current failures for users, counted over all of them. */
export interface ServiceFaults {
  readonly syncs: number;
  readonly failingSyncs: number;
  readonly failingDeliveries: number;
  readonly lostDeliveries: number;
  readonly failingMails: number;
  readonly lostMails: number;
}

export const SERVICE_FAULTS = `
  SELECT syncs, failing_syncs AS "failingSyncs", failing_deliveries AS "failingDeliveries",
    lost_deliveries AS "lostDeliveries", failing_mails AS "failingMails", lost_mails AS "lostMails"
  FROM app.count_service_failures()`;

/** What API keys lack at Upwork; without a capability, the number of failed checks and a reason. */
export interface MissingCapability {
  readonly capability: string | null;
  readonly detail: string;
  readonly connections: number;
}

export const MISSING_CAPABILITIES = `
  SELECT capability, detail, connections FROM app.list_missing_capabilities()`;

const RUNS_SHOWN = 12;

/** The content of the dashboard's first page. */
export interface Overview {
  readonly readAt: Date;
  readonly statuses: readonly HealthStatus[];
  readonly tasks: readonly TaskDto[];
  /** The latest finished runs per task, oldest first, for the sparklines. */
  readonly recentRuns: readonly RecentRun[];
  readonly latestRuns: readonly TaskRunDto[];
  readonly queue: QueueCounts | null;
  /** True when the page of the local outbox exists. */
  readonly hasMailPage: boolean;
}

/** Reads the health of the installation. */
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
    private readonly upworkCalls: UpworkRateLimiterService,
    private readonly refusedDocuments: RefusedDocumentsService,
    private readonly config: Config,
  ) {}

  /**
   * Returns the current state.
   * @param read the reader of an open stream; by default a read as gigvault_admin, which is a security event
   */
  async read(read: AdminReader = (work) => this.system.asAdmin('open the dashboard', work)): Promise<Overview> {
    const [readiness, facts, coverage, queue, upworkBudget, refusedDocuments] = await Promise.all([
      this.health.ready(),
      read((unit) => this.loadFacts(unit)),
      this.database.readCoverage(),
      this.queue.counts().catch(() => null),
      this.upworkCalls.readBudget().catch(() => null),
      this.refusedDocuments.list().catch(() => null),
    ]);
    const at = new Date();
    const [backup] = facts.backups;
    const file = backup?.file ? await this.backupFiles.checkFile(backup.file) : null;
    const { installationDailyCeilingUsd: dailyUsd, installationMonthlyCeilingUsd: monthlyUsd } = this.config.ai;
    const statuses = [
      ...checkServices(readiness),
      checkSchedule(facts.tasks, facts.open, facts.problems, at),
      checkRuns(facts.unresolved, facts.open, facts.partial),
      ...facts.faults.flatMap((row) => [checkConnections(row), checkDeliveries(row)]),
      checkJobStatistics(facts.refreshed[0]?.at ?? null, at),
      checkPartitions(coverage),
      checkBackups(backup, file, this.config.backups.maxAgeHours, at),
      checkSignIns(facts.alerts),
      checkCapabilities(facts.missing),
      checkUpworkCalls(upworkBudget),
      checkUpworkDocuments(refusedDocuments),
      ...facts.spending.map((row) => checkAiSpending(row, { dailyUsd, monthlyUsd })),
    ];
    return {
      readAt: at,
      statuses,
      tasks: facts.tasks,
      recentRuns: facts.recent,
      latestRuns: facts.runs,
      queue,
      hasMailPage: !this.config.isProduction,
    };
  }

  private loadFacts(unit: UnitOfWork) {
    return awaitAll({
      refreshed: unit.query<{ at: Date }>(JOB_STATISTICS_REFRESHED_AT),
      unresolved: unit.query<Pick<TaskRunDto, 'id' | 'task' | 'error'>>(UNRESOLVED_FAILURES),
      partial: unit.query<Pick<TaskRunDto, 'id' | 'task' | 'figures'>>(PARTIAL_RUNS),
      faults: unit.query<ServiceFaults>(SERVICE_FAULTS),
      open: unit.query<OpenRun>(OPEN_RUNS),
      runs: unit.query<TaskRunDto>(...selectLatestRuns(RUNS_SHOWN)),
      recent: unit.query<RecentRun>(...selectRecentRuns(this.tasks.ids)),
      alerts: this.alerts.listOpen(unit),
      problems: this.taskAlerts.listOpen(unit),
      tasks: this.tasks.readStates(unit),
      backups: unit.query<BackupState>(BACKUP_STATE),
      spending: unit.query<AiSpending>(AI_SPENDING),
      missing: unit.query<MissingCapability>(MISSING_CAPABILITIES),
    });
  }
}

type Results<Promises> = { readonly [Name in keyof Promises]: Awaited<Promises[Name]> };

/** Waits for all promises, and returns the result of each under its name. */
async function awaitAll<Promises extends Record<string, Promise<unknown>>>(
  promises: Promises,
): Promise<Results<Promises>> {
  const names = Object.keys(promises);
  const results = await Promise.all(Object.values(promises));
  return Object.fromEntries(names.map((name, at) => [name, results[at]])) as Results<Promises>;
}
