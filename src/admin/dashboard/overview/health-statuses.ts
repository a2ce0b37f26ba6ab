import type { BackupFileState } from '../../api/backups/backup-files.service';
import type { BackupState } from '../../api/backups/backups.queries';
import type { CheckResult, Readiness } from '../../../platform/health/health.service';
import { type TaskAlertDto, type TaskDto, type TaskRunDto } from '../../api/tasks/tasks.dto';
import type { PartitionCoverageDto } from '../../api/database/partitions.dto';
import { computePollingLimit, type CallBudget } from '../../../upwork/call-budget';
import type { RefusedDocument } from '../../../upwork/refused-documents.service';
import type { AiSpending, MissingCapability, OpenRun, ServiceFaults } from './overview.service';

/** A level of health: OK, warning, failing, or unknown because the check itself failed. */
export type HealthLevel = 'good' | 'warn' | 'bad' | 'unknown';

/** The status of one check on the dashboard. */
export interface HealthStatus {
  readonly name: string;
  readonly level: HealthLevel;
  /** The measured value, or the reason of a problem. */
  readonly text: string;
  /** The page with details. */
  readonly href: string;
}

/** No worker takes a task that has been due for longer. */
const OVERDUE_MS = 2 * 60_000;

/** Twice the hourly refresh of unchanged statistics. */
const VIEW_STALE_MS = 2 * 3_600_000;

/** Leaves enough time to fix the creation of partitions. */
const MIN_COVERAGE_DAYS = 90;

/** A run is slow when it exceeds its usual duration by this factor, and at least SLOW_RUN_MS. */
const SLOW_RUN_FACTOR = 5;
const SLOW_RUN_MS = 60_000;

/** An open task alert; failures are reported by the runs themselves. */
export type TaskProblem = Pick<TaskAlertDto, 'task' | 'kind' | 'reason'>;

function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const UNKNOWN: CheckResult = { status: 'failed' };

/** Checks PostgreSQL, Redis and, if it has master keys, the key management service. */
export function checkServices({ checks }: Readiness): HealthStatus[] {
  const build = (name: string, { status, detail = 'unknown' }: CheckResult, href: string): HealthStatus => {
    if (status === 'ok') return { name, level: 'good', text: 'answers', href };
    return { name, level: status === 'warning' ? 'warn' : 'bad', text: detail, href };
  };
  const { postgres = UNKNOWN, redis = UNKNOWN, encryption } = checks;
  return [
    build('PostgreSQL', postgres, '/admin/database'),
    build('Redis', redis, '/admin/queues'),
    ...(encryption ? [build('Key management service', encryption, '/admin/keys')] : []),
  ];
}

/** Checks the age of the job statistics. */
export function checkJobStatistics(refreshedAt: Date | null, now: Date): HealthStatus {
  const status = { name: 'Job statistics', href: '/admin/tasks/refresh-job-stats' };
  if (!refreshedAt) return { ...status, level: 'bad', text: 'never refreshed' };
  const ageMs = now.getTime() - refreshedAt.getTime();
  const minutes = Math.floor(ageMs / 60_000);
  const text = minutes === 0 ? 'refreshed within the last minute' : `refreshed ${minutes} min ago`;
  return { ...status, level: ageMs < VIEW_STALE_MS ? 'good' : 'bad', text };
}

/** Checks that partitions reach far enough ahead and that default partitions are empty; one status for all tables. */
export function checkPartitions(coverage: readonly PartitionCoverageDto[]): HealthStatus {
  const low = coverage.filter(({ daysCovered }) => daysCovered < MIN_COVERAGE_DAYS);
  const withoutDefault = coverage.filter(({ rowsInDefault }) => rowsInDefault === null);
  const withDefaultRows = coverage.filter(({ rowsInDefault }) => rowsInDefault !== null && rowsInDefault > 0);
  const reasons = [
    ...low.map(({ table, isCovered, daysCovered }) =>
      isCovered ? `${table} is covered for only ${daysCovered} days` : `${table} has no partition for today`,
    ),
    ...withoutDefault.map(({ table }) => `${table} has no default partition: rows outside its partitions are refused`),
    ...withDefaultRows.map(
      ({ table, rowsInDefault }) =>
        `${formatCount(rowsInDefault ?? 0, 'row')} of ${table} ` +
        `${rowsInDefault === 1 ? 'is' : 'are'} in its default partition`,
    ),
  ];
  const level: HealthLevel =
    low.length + withoutDefault.length > 0 ? 'bad' : withDefaultRows.length > 0 ? 'warn' : 'good';
  const least = Math.min(...coverage.map(({ daysCovered }) => daysCovered));
  const text =
    reasons.length > 0
      ? reasons.join('; ')
      : `${formatCount(coverage.length, 'table')} ${coverage.length === 1 ? 'is' : 'are'} covered for ${least} days`;
  return { name: 'Partitions', level, text, href: '/admin/partitions' };
}

/** Checks that a recent verified backup exists and that its file is still in the store. */
export function checkBackups(
  state: BackupState | undefined,
  file: BackupFileState | null,
  maxAgeHours: number,
  now: Date,
): HealthStatus {
  const { verifiedAt = null, latest = null, isUnderWay = false } = state ?? {};
  const hours = verifiedAt && Math.floor((now.getTime() - verifiedAt.getTime()) / 3_600_000);
  const age =
    hours === null
      ? 'no backup is verified yet'
      : `the newest verified backup is ${hours === 0 ? 'less than an hour' : `${hours} h`} old`;
  const failure =
    latest?.status === 'failed' ? `backup ${latest.id} failed: ${latest.error ?? 'no reason recorded'}` : undefined;
  const isRecent = hours !== null && hours < maxAgeHours;
  const isFirst = verifiedAt === null && failure === undefined && isUnderWay;
  const ageLevel: HealthLevel = isRecent ? (failure === undefined ? 'good' : 'warn') : isFirst ? 'warn' : 'bad';
  const level = pickWorse(
    ageLevel,
    file === null || file.status === 'present' ? 'good' : file.status === 'missing' ? 'bad' : 'unknown',
  );
  const reasons = [age, file !== null && file.status !== 'present' ? file.reason : undefined, failure];
  const text = isFirst ? 'the first backup is running' : reasons.filter((reason) => reason !== undefined).join('; ');
  return { name: 'Backups', level, text, href: '/admin/backups' };
}

/** Unknown is worse than good, but a known problem is worse than unknown. */
const LEVELS_BY_SEVERITY: readonly HealthLevel[] = ['good', 'unknown', 'warn', 'bad'];

function pickWorse(one: HealthLevel, other: HealthLevel): HealthLevel {
  return LEVELS_BY_SEVERITY.indexOf(one) >= LEVELS_BY_SEVERITY.indexOf(other) ? one : other;
}

/** Checks for runs that failed without a later success, failed in part, or are being retried. */
export function checkRuns(
  unresolved: readonly Pick<TaskRunDto, 'id' | 'task' | 'error'>[],
  open: readonly OpenRun[],
  partial: readonly Pick<TaskRunDto, 'id' | 'task' | 'figures'>[] = [],
): HealthStatus {
  const retrying = open.filter(({ outcome }) => outcome === 'retrying');
  const failed = [...new Set(unresolved.map(({ task }) => task))];
  const reasons = [
    ...(failed.length > 0 ? [`failed and not succeeded since: ${failed.join(', ')}`] : []),
    ...retrying.map(
      ({ id, task, attempts, error }) =>
        `run ${id} of ${task} is being retried after attempt ${attempts} failed: ${error ?? 'no reason recorded'}`,
    ),
    ...partial.map(
      ({ id, task, figures }) => `run ${id} of ${task} failed in part (${String(figures?.['failed'])} failed)`,
    ),
  ];
  const level: HealthLevel = failed.length > 0 ? 'bad' : retrying.length + partial.length > 0 ? 'warn' : 'good';
  const newest = unresolved[0] ?? retrying[0] ?? partial[0];
  return {
    name: 'Runs',
    level,
    text: reasons.length > 0 ? reasons.join('; ') : 'no open failures',
    href: newest ? `/admin/runs/${newest.id}` : '/admin/runs',
  };
}

/** Checks that workers take due tasks in time, and reports slow runs and paused tasks. */
export function checkSchedule(
  tasks: readonly TaskDto[],
  open: readonly OpenRun[],
  alerts: readonly TaskProblem[],
  now: Date,
): HealthStatus {
  const active = tasks.filter(({ paused }) => !paused);
  const paused = tasks.filter((task) => task.paused).map(({ id }) => id);
  const unscheduled = active.filter(({ nextRunAt }) => nextRunAt === null).map(({ id }) => id);
  const late = active
    .filter(({ nextRunAt }) => nextRunAt !== null && now.getTime() - nextRunAt.getTime() > OVERDUE_MS)
    .map(({ id }) => id);
  const stuck = open.filter(({ outcome, forMs }) => outcome === 'queued' && forMs > OVERDUE_MS);
  const usual = new Map(tasks.map(({ id, usualDurationMs }) => [id, usualDurationMs ?? 0]));
  const slow = open.filter(
    ({ outcome, task, forMs }) =>
      outcome === 'running' && forMs > Math.max(SLOW_RUN_MS, SLOW_RUN_FACTOR * (usual.get(task) ?? 0)),
  );
  const reported = new Set([...paused, ...unscheduled, ...late]);
  const failures = [
    ...alerts
      .filter(({ kind, task }) => kind === 'missed' && !reported.has(task))
      .map(({ task, reason }) => `${task} ${reason}`),
    ...(unscheduled.length > 0 ? [`no worker has scheduled ${unscheduled.join(', ')}`] : []),
    ...(late.length > 0 ? [`no worker takes ${late.join(', ')}, which ${late.length === 1 ? 'is' : 'are'} due`] : []),
    ...stuck.map(({ id, task }) => `run ${id} of ${task} is queued and no worker takes it`),
  ];
  const warnings = [
    ...alerts
      .filter(({ kind, task }) => kind === 'overlong' && !slow.some((run) => run.task === task))
      .map(({ task, reason }) => `${task}: ${reason}`),
    ...slow.map(({ id, task, forMs }) => `run ${id} of ${task} has been running for ${Math.round(forMs / 1_000)} s`),
    ...(paused.length > 0 ? [`paused: ${paused.join(', ')}`] : []),
  ];
  const level: HealthLevel = failures.length > 0 ? 'bad' : warnings.length > 0 ? 'warn' : 'good';
  return {
    name: 'Schedule',
    level,
    text: [...failures, ...warnings].join('; ') || `${formatCount(tasks.length, 'task')} on schedule`,
    href: '/admin/runs',
  };
}

/** Checks for attacks. Alerts about new devices are counted, but do not change the status. */
export function checkSignIns(alerts: readonly { readonly kind: string }[]): HealthStatus {
  const attacks = alerts.filter(({ kind }) => kind !== 'new_device').length;
  const others = alerts.length - attacks;
  const counts = [
    ...(attacks > 0 ? [`${formatCount(attacks, 'open alert')} about attacks`] : []),
    ...(others > 0 ? [`${others} about new devices`] : []),
  ];
  const text = counts.join(', ') || 'nothing unusual';
  return { name: 'Sign-ins', level: attacks === 0 ? 'good' : 'bad', text, href: '/admin/security' };
}

/** Checks that the synchronisations of users succeed. */
export function checkConnections({ syncs, failingSyncs }: ServiceFaults): HealthStatus {
  const isOk = failingSyncs === 0;
  const all = formatCount(syncs, 'synchronisation');
  const text = isOk
    ? syncs === 0
      ? 'no users are connected to Upwork'
      : `${all}, no failures`
    : `${failingSyncs} of ${all} ${failingSyncs === 1 ? 'fails' : 'fail'}`;
  return { name: 'Upwork connections', level: isOk ? 'good' : 'warn', text, href: '/admin/tasks/sync-connections' };
}

/** Checks whether API keys have the permissions at Upwork that this program needs. */
export function checkCapabilities(rows: readonly MissingCapability[]): HealthStatus {
  const texts = rows.map(({ capability, detail, connections }) => {
    const count = formatCount(connections, 'connection');
    return capability === null ? `not known for ${count}: ${detail}` : `${capability} of ${count} lack ${detail}`;
  });
  const level = rows.some(({ capability }) => capability !== null) ? 'warn' : rows.length > 0 ? 'unknown' : 'good';
  const text = texts.join('; ') || 'nothing is missing';
  return { name: 'Upwork permissions', level, text, href: '/admin/tasks/check-capabilities' };
}

/** Checks webhook deliveries and emails: those being retried, and those given up in the last 24 hours. */
export function checkDeliveries({
  failingDeliveries,
  lostDeliveries,
  failingMails,
  lostMails,
}: ServiceFaults): HealthStatus {
  const reasons = (
    [
      [failingDeliveries, 'webhook event', 'not delivered yet'],
      [lostDeliveries, 'webhook event', 'given up in the last 24 hours'],
      [failingMails, 'email', 'not sent yet'],
      [lostMails, 'email', 'given up in the last 24 hours'],
    ] as const
  ).flatMap(([count, noun, state]) => (count === 0 ? [] : [`${formatCount(count, noun)} ${state}`]));
  const task = failingDeliveries + lostDeliveries > 0 ? 'deliver-alerts' : 'send-mails';
  return {
    name: 'Webhooks and mail',
    level: reasons.length === 0 ? 'good' : 'warn',
    text: reasons.join('; ') || 'nothing failed',
    href: `/admin/tasks/${task}`,
  };
}

/** Share of a ceiling that triggers a warning. */
const CEILING_WARNING_SHARE = 0.9;

/** Checks the AI spending and reservations of all users against the installation's ceilings. */
export function checkAiSpending(
  spending: AiSpending,
  ceilings: { readonly dailyUsd: string; readonly monthlyUsd: string },
): HealthStatus {
  const reserved = Number(spending.reservedUsd);
  const periods = [
    { name: 'today', used: Number(spending.daySpentUsd) + reserved, ceiling: Number(ceilings.dailyUsd) },
    { name: 'this month', used: Number(spending.monthSpentUsd) + reserved, ceiling: Number(ceilings.monthlyUsd) },
  ];
  const share = Math.max(...periods.map(({ used, ceiling }) => (ceiling > 0 ? used / ceiling : 0)));
  const level: HealthLevel = share >= 1 ? 'bad' : share >= CEILING_WARNING_SHARE ? 'warn' : 'good';
  const text = periods.map(
    ({ name, used, ceiling }) => `${used.toFixed(2)}${ceiling > 0 ? ` of ${ceiling.toFixed(2)}` : ''} USD ${name}`,
  );
  return { name: 'AI spending', level, text: text.join(', '), href: '/admin/users' };
}

/** Checks the calls to Upwork of the current UTC day. */
export function checkUpworkCalls(budget: CallBudget | null): HealthStatus {
  const status = { name: 'Calls to Upwork', href: '/admin/tasks/sync-connections' };
  if (budget === null) return { ...status, level: 'unknown', text: 'Redis does not answer' };
  const { used, perDay } = budget;
  const left = Math.max(0, perDay - used);
  const text = `${used} of ${perDay} used today, ${left} left`;
  if (left === 0) return { ...status, level: 'bad', text: `${text}. More are allowed from 00:00 UTC` };
  if (used < computePollingLimit(perDay)) return { ...status, level: 'good', text };
  return { ...status, level: 'warn', text: `${text} for requests of users. Synchronisation continues at 00:00 UTC` };
}

/** Checks that Upwork accepts all documents. */
export function checkUpworkDocuments(refused: readonly RefusedDocument[] | null): HealthStatus {
  const status = { name: 'Documents for Upwork', href: '/admin/tasks/sync-connections' };
  if (refused === null) return { ...status, level: 'unknown', text: 'Redis does not answer' };
  if (refused.length === 0) return { ...status, level: 'good', text: 'no refused document' };
  const names = refused.map(({ name, since }) => `${name} since ${since.toISOString()}`).join(', ');
  return { ...status, level: 'bad', text: `Upwork refuses ${names}. Update Gigvault` };
}
