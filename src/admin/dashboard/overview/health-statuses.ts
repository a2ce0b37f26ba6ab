import type { BackupFileState } from '../../api/backups/backup-files.service';
import type { BackupState } from '../../api/backups/backups.queries';
import type { Readiness } from '../../../platform/health/health.service';
import { type TaskAlertDto, type TaskDto, type TaskRunDto } from '../../api/tasks/tasks.dto';
import type { PartitionCoverageDto } from '../../api/database/partitions.dto';
import type { AiSpending, OpenRun, ServiceFaults } from './overview.service';

/** How well something is: OK, a warning, failing, or not known because nobody could look. */
export type HealthLevel = 'good' | 'warn' | 'bad' | 'unknown';

/** One light of the dashboard. */
export interface HealthStatus {
  readonly name: string;
  readonly level: HealthLevel;
  /** What is measured; when not well, the reason. */
  readonly text: string;
  /** The page that shows more. */
  readonly href: string;
}

/** A task that is due for longer is not taken by any worker. */
const OVERDUE_MS = 2 * 60_000;

/** Unchanged numbers are refreshed hourly. */
const VIEW_STALE_MS = 2 * 3_600_000;

/** Time enough to find out why no partitions are made. */
const MIN_COVERAGE_DAYS = 90;

/** A run is slow when it takes so many times what it usually does, and long enough to matter. */
const SLOW_RUN_FACTOR = 5;
const SLOW_RUN_MS = 60_000;

/** What the watch over the schedule has found; a failure is told by the runs themselves. */
export type TaskProblem = Pick<TaskAlertDto, 'task' | 'kind' | 'reason'>;

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Whether the services that everything stands on answer. */
export function checkServices({ checks }: Readiness): HealthStatus[] {
  return ['postgres', 'redis'].map((name) => {
    const isWell = checks[name]?.status === 'ok';
    const text = isWell ? 'answers' : (checks[name]?.detail ?? 'not known');
    return {
      name: name === 'postgres' ? 'PostgreSQL' : 'Redis',
      level: isWell ? 'good' : 'bad',
      text,
      href: name === 'postgres' ? '/admin/database' : '/admin/queues',
    };
  });
}

/** How old the job statistics are. */
export function checkJobStatistics(refreshedAt: Date | null, now: Date): HealthStatus {
  const status = { name: 'Job statistics', href: '/admin/tasks/refresh-job-stats' };
  if (!refreshedAt) return { ...status, level: 'bad', text: 'never refreshed' };
  const ageMs = now.getTime() - refreshedAt.getTime();
  const minutes = Math.floor(ageMs / 60_000);
  const text = minutes === 0 ? 'refreshed within the last minute' : `refreshed ${minutes} min ago`;
  return { ...status, level: ageMs < VIEW_STALE_MS ? 'good' : 'bad', text };
}

/** Whether the partitioned tables reach far enough ahead and can take any row, the worst first; one light for all. */
export function checkPartitions(coverage: readonly PartitionCoverageDto[]): HealthStatus {
  const low = coverage.filter(({ daysCovered }) => daysCovered < MIN_COVERAGE_DAYS);
  const withoutDefault = coverage.filter(({ rowsInDefault }) => rowsInDefault === null);
  const withDefaultRows = coverage.filter(({ rowsInDefault }) => rowsInDefault !== null && rowsInDefault > 0);
  const reasons = [
    ...low.map(({ table, isCovered, daysCovered }) =>
      isCovered ? `${table} is covered for ${daysCovered} days only` : `${table} has no partition for today`,
    ),
    ...withoutDefault.map(({ table }) => `${table} has no default partition: rows that no other takes are refused`),
    ...withDefaultRows.map(
      ({ table, rowsInDefault }) =>
        `${counted(rowsInDefault ?? 0, 'row')} of ${table} ${rowsInDefault === 1 ? 'lies' : 'lie'} in its default partition`,
    ),
  ];
  const level: HealthLevel =
    low.length + withoutDefault.length > 0 ? 'bad' : withDefaultRows.length > 0 ? 'warn' : 'good';
  const least = Math.min(...coverage.map(({ daysCovered }) => daysCovered));
  const text =
    reasons.length > 0
      ? reasons.join('; ')
      : `${counted(coverage.length, 'table')} ${coverage.length === 1 ? 'is' : 'are'} covered for ${least} days`;
  return { name: 'Partitions', level, text, href: '/admin/partitions' };
}

/** Returns the light of the backups: whether there is a young one that was restored, and whether its file is still there. */
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
    latest?.status === 'failed' ? `backup ${latest.id} failed: ${latest.error ?? 'no reason kept'}` : undefined;
  const isRecent = hours !== null && hours < maxAgeHours;
  const isFirst = verifiedAt === null && failure === undefined && isUnderWay;
  const byAge: HealthLevel = isRecent ? (failure === undefined ? 'good' : 'warn') : isFirst ? 'warn' : 'bad';
  const level = pickWorse(
    byAge,
    file === null || file.status === 'present' ? 'good' : file.status === 'missing' ? 'bad' : 'unknown',
  );
  const reasons = [age, file !== null && file.status !== 'present' ? file.reason : undefined, failure];
  const text = isFirst ? 'the first backup is being made' : reasons.filter((words) => words !== undefined).join('; ');
  return { name: 'Backups', level, text, href: '/admin/backups' };
}

/** What nobody could look at is not good, but a known fault weighs more. */
const LEVELS_BY_SEVERITY: readonly HealthLevel[] = ['good', 'unknown', 'warn', 'bad'];

function pickWorse(one: HealthLevel, other: HealthLevel): HealthLevel {
  return LEVELS_BY_SEVERITY.indexOf(one) >= LEVELS_BY_SEVERITY.indexOf(other) ? one : other;
}

/** Returns the light of the runs: what failed and was not put right, what failed in part, and what is tried again. */
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
        `run ${id} of ${task} is tried again after attempt ${attempts} failed: ${error ?? 'no reason kept'}`,
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

/** Whether workers take what is due, in time, and what an admin has paused. */
export function checkSchedule(
  tasks: readonly TaskDto[],
  open: readonly OpenRun[],
  alerts: readonly TaskProblem[],
  now: Date,
): HealthStatus {
  const waiting = tasks.filter(({ paused }) => !paused);
  const paused = tasks.filter((task) => task.paused).map(({ id }) => id);
  const unscheduled = waiting.filter(({ nextRunAt }) => nextRunAt === null).map(({ id }) => id);
  const late = waiting
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
    ...stuck.map(({ id, task }) => `run ${id} of ${task} waits and no worker takes it`),
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
    text: [...failures, ...warnings].join('; ') || `${counted(tasks.length, 'task')} on schedule`,
    href: '/admin/runs',
  };
}

/** New devices concern their owners; an attack on many concerns the admin. */
export function checkSignIns(alerts: readonly { readonly kind: string }[]): HealthStatus {
  const attacks = alerts.filter(({ kind }) => kind !== 'new_device').length;
  const others = alerts.length - attacks;
  const counts = [
    ...(attacks > 0 ? [`${counted(attacks, 'open alert')} about attacks`] : []),
    ...(others > 0 ? [`${others} about new devices`] : []),
  ];
  const text = counts.join(', ') || 'nothing unusual';
  return { name: 'Sign-ins', level: attacks === 0 ? 'good' : 'bad', text, href: '/admin/security' };
}

/** Returns the light of the connections: whether the synchronisations of users succeed. */
export function checkConnections({ syncs, failingSyncs }: ServiceFaults): HealthStatus {
  const isWell = failingSyncs === 0;
  const all = counted(syncs, 'synchronisation');
  const text = isWell
    ? syncs === 0
      ? 'nobody is connected'
      : `${all}, no failures`
    : `${failingSyncs} of ${all} ${failingSyncs === 1 ? 'fails' : 'fail'}`;
  return { name: 'Connections', level: isWell ? 'good' : 'warn', text, href: '/admin/tasks/sync-connections' };
}

/** Returns the light of what is sent to users: deliveries and emails that are tried again, or were given up within a day. */
export function checkDeliveries({
  failingDeliveries,
  lostDeliveries,
  failingMails,
  lostMails,
}: ServiceFaults): HealthStatus {
  const reasons = (
    [
      [failingDeliveries, 'alert', 'could not be delivered yet'],
      [lostDeliveries, 'alert', 'given up within a day'],
      [failingMails, 'email', 'could not be sent yet'],
      [lostMails, 'email', 'given up within a day'],
    ] as const
  ).flatMap(([count, what, words]) => (count === 0 ? [] : [`${counted(count, what)} ${words}`]));
  const task = failingDeliveries + lostDeliveries > 0 ? 'deliver-alerts' : 'send-mails';
  return {
    name: 'Webhooks and mail',
    level: reasons.length === 0 ? 'good' : 'warn',
    text: reasons.join('; ') || 'nothing failed',
    href: `/admin/tasks/${task}`,
  };
}

/** Share of a ceiling from which an admin should know. */
const CEILING_WARNING_SHARE = 0.9;

/** Whether AI drafts can still be written: what all users together have spent and reserved against the ceilings. */
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
