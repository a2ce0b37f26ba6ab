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
import { AdminTasksService, TaskAlertsService } from '../../api/tasks/admin-tasks.service';
import type { AccessAlert } from '../../../auth/security-events/detect-suspicious-access.task';
import { AppError } from '../../../platform/errors/app-error';

/** An open access alert. */
export type OpenAccessAlert = AccessAlert & { readonly userId: number | null };

/** The newest alerts of the last week that no admin has dismissed. */
const OPEN_ACCESS_ALERTS = `
  SELECT id, kind, user_id AS "userId", host(ip_address) AS "ipAddress", details, created_at AS "createdAt"
  FROM access_alerts WHERE dismissed_at IS NULL AND created_at > now() - interval '7 days' ORDER BY id DESC LIMIT 20`;

const DISMISS_ACCESS_ALERT = `
  UPDATE access_alerts SET dismissed_at = now() WHERE id = $1 AND dismissed_at IS NULL RETURNING id`;

/** Alerts about suspicious sign-ins, for admins. */
@Injectable()
export class AccessAlertsService {
  constructor(private readonly system: SystemDatabase) {}

  /** Lists the open alerts of the last week, newest first, at most 20. @param unit a unit of gigvault_admin */
  listOpen(unit: UnitOfWork): Promise<OpenAccessAlert[]> {
    return unit.query<OpenAccessAlert>(OPEN_ACCESS_ALERTS);
  }

  /**
   * Removes an alert from the dashboard; its row stays.
   * @throws AppError `alert.not_found` when there is no open alert with this id
   */
  async dismiss(id: number, reason: string): Promise<void> {
    const rows = await this.system.asAdmin(`dismiss access alert ${id}: ${reason}`, (unit) =>
      unit.query(DISMISS_ACCESS_ALERT, [id]),
    );
    if (rows.length === 0) throw new AppError('alert.not_found');
  }
}

interface AccessAlertText {
  readonly describe: (alert: OpenAccessAlert) => string;
  readonly advice: string;
}

const UNKNOWN_SIGN_IN_ADVICE =
  'The user got an email with instructions. If they do not recognize this sign-in, end their sessions, or lock ' +
  'them out until they have set a new password.';

/** Texts of alerts for admins; emails to users have their own texts. */
const ACCESS_ALERT_TEXTS: Readonly<Record<OpenAccessAlert['kind'], AccessAlertText>> = {
  failure_burst: {
    describe: ({ details }) =>
      `${formatCount(details['failures'], 'sign-in')} to the account of this user failed within minutes, ` +
      `from ${formatCount(details['addresses'], 'address')}.`,
    advice: 'None of these attempts succeeded, and further ones are slowed down. The user got an email.',
  },
  address_sweep: {
    describe: ({ details, ipAddress }) =>
      `${formatCount(details['failures'], 'sign-in')} to ${formatCount(details['accounts'], 'account')} ` +
      `failed within minutes, all from ${ipAddress}.`,
    advice:
      'Further attempts from there are slowed down. Look for sign-ins from this address that succeeded, end ' +
      'the sessions of those users, and block the address in front of the server.',
  },
  new_device: {
    describe: ({ details, ipAddress }) =>
      'A device or place not seen before signed in to the account of this user: ' +
      `${details['device'] ?? 'unknown'}, from ${ipAddress}.`,
    advice: UNKNOWN_SIGN_IN_ADVICE,
  },
  far_addresses: {
    describe: ({ details, ipAddress }) =>
      `Within ten minutes the account of this user was used from ${details['otherAddress']} and from ${ipAddress}, ` +
      'which are in different networks.',
    advice: UNKNOWN_SIGN_IN_ADVICE,
  },
};

/** Describes an alert in a sentence. */
export function describeAccessAlert(alert: OpenAccessAlert): string {
  return ACCESS_ALERT_TEXTS[alert.kind].describe(alert);
}

/** Returns advice for the admin. */
export function getAccessAlertAdvice({ kind }: OpenAccessAlert): string {
  return ACCESS_ALERT_TEXTS[kind].advice;
}

function formatCount(value: string | number | null | undefined, noun: string): string {
  const plural = noun.endsWith('s') ? `${noun}es` : `${noun}s`;
  return `${value ?? 'several'} ${Number(value) === 1 ? noun : plural}`;
}

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
    const { refreshed, unresolved, partial, faults, open, runs, recent, alerts, problems, tasks, backups, spending } =
      facts;
    const file = backups[0]?.file ? await this.backupFiles.checkFile(backups[0].file) : null;
    const { installationDailyCeilingUsd: dailyUsd, installationMonthlyCeilingUsd: monthlyUsd } = this.config.ai;
    const statuses = [
      ...checkServices(readiness),
      checkSchedule(tasks, open, problems, at),
      checkRuns(unresolved, open, partial),
      ...faults.flatMap((row) => [checkConnections(row), checkDeliveries(row)]),
      checkJobStatistics(refreshed[0]?.at ?? null, at),
      checkPartitions(coverage),
      checkBackups(backups[0], file, this.config.backups.maxAgeHours, at),
      checkSignIns(alerts),
      checkCapabilities(facts.missing),
      checkUpworkCalls(upworkBudget),
      checkUpworkDocuments(refusedDocuments),
      ...spending.map((row) => checkAiSpending(row, { dailyUsd, monthlyUsd })),
    ];
    return {
      readAt: at,
      statuses,
      tasks,
      recentRuns: recent,
      latestRuns: runs,
      queue,
      hasMailPage: !this.config.isProduction,
    };
  }

  private async loadFacts(unit: UnitOfWork) {
    const [
      refreshed,
      unresolved,
      partial,
      faults,
      open,
      runs,
      recent,
      alerts,
      problems,
      tasks,
      backups,
      spending,
      missing,
    ] = await Promise.all([
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
      unit.query<MissingCapability>(MISSING_CAPABILITIES),
    ]);
    return {
      refreshed,
      unresolved,
      partial,
      faults,
      open,
      runs,
      recent,
      alerts,
      problems,
      tasks,
      backups,
      spending,
      missing,
    };
  }
}
