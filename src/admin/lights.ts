import type { FileState } from './backup-files.service';
import type { BackupState } from './backups.queries';
import type { Readiness } from '../platform/health/health-checks';
import type { TaskAlertDto } from './dto/task-alert.dto';
import type { TaskDto } from './dto/task.dto';
import type { TaskRunDto } from './dto/task-run.dto';
import type { Level, Light } from './light';
import type { PartitionCoverageDto } from './database/dto/partition-coverage.dto';
import type { AiSpending, OpenRunRow, ServiceFaults } from './overview.queries';

/** A task that is due for longer is not taken by any worker. */
const LATE_MS = 2 * 60_000;

/** Unchanged numbers are refreshed hourly. */
const VIEW_OLD_MS = 2 * 3_600_000;

/** Time enough to find out why no partitions are made. */
const COVERAGE_LOW_DAYS = 90;

/** A run is slow when it takes so many times what it usually does, and long enough to matter. */
const SLOW_FACTOR = 5;
const SLOW_MS = 60_000;

/** What the watch over the schedule has found; a failure is told by the runs themselves. */
export type TaskTrouble = Pick<TaskAlertDto, 'task' | 'kind' | 'reason'>;

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Whether the services that everything stands on answer. */
export function serviceLights({ checks }: Readiness): Light[] {
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
export function viewLight(refreshedAt: Date | null, now: Date): Light {
  const light = { name: 'Job statistics', href: '/admin/tasks/refresh-job-stats' };
  if (!refreshedAt) return { ...light, level: 'bad', text: 'never refreshed' };
  const ageMs = now.getTime() - refreshedAt.getTime();
  const minutes = Math.floor(ageMs / 60_000);
  const text = minutes === 0 ? 'refreshed within the last minute' : `refreshed ${minutes} min ago`;
  return { ...light, level: ageMs < VIEW_OLD_MS ? 'good' : 'bad', text };
}

/** Whether the partitioned tables reach far enough ahead and can take any row, the worst first; one light for all. */
export function partitionsLight(coverage: readonly PartitionCoverageDto[]): Light {
  const low = coverage.filter(({ daysCovered }) => daysCovered < COVERAGE_LOW_DAYS);
  const bare = coverage.filter(({ rowsInDefault }) => rowsInDefault === null);
  const strayed = coverage.filter(({ rowsInDefault }) => rowsInDefault !== null && rowsInDefault > 0);
  const reasons = [
    ...low.map(({ table, isCovered, daysCovered }) =>
      isCovered ? `${table} is covered for ${daysCovered} days only` : `${table} has no partition for today`,
    ),
    ...bare.map(({ table }) => `${table} has no default partition: rows that no other takes are refused`),
    ...strayed.map(
      ({ table, rowsInDefault }) =>
        `${counted(rowsInDefault ?? 0, 'row')} of ${table} ${rowsInDefault === 1 ? 'lies' : 'lie'} in its default partition`,
    ),
  ];
  const level: Level = low.length + bare.length > 0 ? 'bad' : strayed.length > 0 ? 'warn' : 'good';
  const least = Math.min(...coverage.map(({ daysCovered }) => daysCovered));
  const text =
    reasons.length > 0
      ? reasons.join('; ')
      : `${counted(coverage.length, 'table')} ${coverage.length === 1 ? 'is' : 'are'} covered for ${least} days`;
  return { name: 'Partitions', level, text, href: '/admin/partitions' };
}

/** Returns the light of the backups: whether there is a young one that was restored, and whether its file is still there. */
export function backupsLight(
  state: BackupState | undefined,
  file: FileState | null,
  maxAgeHours: number,
  now: Date,
): Light {
  const { verifiedAt = null, latest = null, isUnderWay = false } = state ?? {};
  const hours = verifiedAt && Math.floor((now.getTime() - verifiedAt.getTime()) / 3_600_000);
  const age =
    hours === null
      ? 'no backup is verified yet'
      : `the newest verified backup is ${hours === 0 ? 'less than an hour' : `${hours} h`} old`;
  const failure =
    latest?.status === 'failed' ? `backup ${latest.id} failed: ${latest.error ?? 'no reason kept'}` : undefined;
  const isYoung = hours !== null && hours < maxAgeHours;
  const isFirst = verifiedAt === null && failure === undefined && isUnderWay;
  const byAge: Level = isYoung ? (failure === undefined ? 'good' : 'warn') : isFirst ? 'warn' : 'bad';
  const level = worse(
    byAge,
    file === null || file.status === 'present' ? 'good' : file.status === 'missing' ? 'bad' : 'unknown',
  );
  const reasons = [age, file !== null && file.status !== 'present' ? file.reason : undefined, failure];
  const text = isFirst ? 'the first backup is being made' : reasons.filter((words) => words !== undefined).join('; ');
  return { name: 'Backups', level, text, href: '/admin/backups' };
}

/** What nobody could look at is not good, but a known fault weighs more. */
const WEIGHTS: readonly Level[] = ['good', 'unknown', 'warn', 'bad'];

function worse(one: Level, other: Level): Level {
  return WEIGHTS.indexOf(one) >= WEIGHTS.indexOf(other) ? one : other;
}

/** Returns the light of the runs: what failed and was not put right, what failed in part, and what is tried again. */
export function runsLight(
  unmended: readonly Pick<TaskRunDto, 'id' | 'task' | 'error'>[],
  open: readonly OpenRunRow[],
  partial: readonly Pick<TaskRunDto, 'id' | 'task' | 'figures'>[] = [],
): Light {
  const retrying = open.filter(({ outcome }) => outcome === 'retrying');
  const failed = [...new Set(unmended.map(({ task }) => task))];
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
  const level: Level = failed.length > 0 ? 'bad' : retrying.length + partial.length > 0 ? 'warn' : 'good';
  const newest = unmended[0] ?? retrying[0] ?? partial[0];
  return {
    name: 'Runs',
    level,
    text: reasons.length > 0 ? reasons.join('; ') : 'no open failures',
    href: newest ? `/admin/runs/${newest.id}` : '/admin/runs',
  };
}

/** Whether workers take what is due, in time, and what an admin has paused. */
export function scheduleLight(
  tasks: readonly TaskDto[],
  open: readonly OpenRunRow[],
  alerts: readonly TaskTrouble[],
  now: Date,
): Light {
  const waiting = tasks.filter(({ paused }) => !paused);
  const paused = tasks.filter((task) => task.paused).map(({ id }) => id);
  const unscheduled = waiting.filter(({ nextRunAt }) => nextRunAt === null).map(({ id }) => id);
  const late = waiting
    .filter(({ nextRunAt }) => nextRunAt !== null && now.getTime() - nextRunAt.getTime() > LATE_MS)
    .map(({ id }) => id);
  const stuck = open.filter(({ outcome, forMs }) => outcome === 'queued' && forMs > LATE_MS);
  const usual = new Map(tasks.map(({ id, usualDurationMs }) => [id, usualDurationMs ?? 0]));
  const slow = open.filter(
    ({ outcome, task, forMs }) =>
      outcome === 'running' && forMs > Math.max(SLOW_MS, SLOW_FACTOR * (usual.get(task) ?? 0)),
  );
  const told = new Set([...paused, ...unscheduled, ...late]);
  const broken = [
    ...alerts
      .filter(({ kind, task }) => kind === 'missed' && !told.has(task))
      .map(({ task, reason }) => `${task} ${reason}`),
    ...(unscheduled.length > 0 ? [`no worker has scheduled ${unscheduled.join(', ')}`] : []),
    ...(late.length > 0 ? [`no worker takes ${late.join(', ')}, which ${late.length === 1 ? 'is' : 'are'} due`] : []),
    ...stuck.map(({ id, task }) => `run ${id} of ${task} waits and no worker takes it`),
  ];
  const odd = [
    ...alerts
      .filter(({ kind, task }) => kind === 'overlong' && !slow.some((run) => run.task === task))
      .map(({ task, reason }) => `${task}: ${reason}`),
    ...slow.map(({ id, task, forMs }) => `run ${id} of ${task} has been running for ${Math.round(forMs / 1_000)} s`),
    ...(paused.length > 0 ? [`paused: ${paused.join(', ')}`] : []),
  ];
  const level: Level = broken.length > 0 ? 'bad' : odd.length > 0 ? 'warn' : 'good';
  return {
    name: 'Schedule',
    level,
    text: [...broken, ...odd].join('; ') || `${counted(tasks.length, 'task')} on schedule`,
    href: '/admin/runs',
  };
}

/** New devices concern their owners; an attack on many concerns the admin. */
export function signInsLight(alerts: readonly { readonly kind: string }[]): Light {
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
export function connectionsLight({ syncs, failingSyncs }: ServiceFaults): Light {
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
export function deliveriesLight({ failingDeliveries, lostDeliveries, failingMails, lostMails }: ServiceFaults): Light {
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
const NEAR_CEILING = 0.9;

/** Whether AI drafts can still be written: what all users together have spent and reserved against the ceilings. */
export function aiLight(
  spending: AiSpending,
  ceilings: { readonly dailyUsd: string; readonly monthlyUsd: string },
): Light {
  const reserved = Number(spending.reservedUsd);
  const periods = [
    { name: 'today', used: Number(spending.daySpentUsd) + reserved, ceiling: Number(ceilings.dailyUsd) },
    { name: 'this month', used: Number(spending.monthSpentUsd) + reserved, ceiling: Number(ceilings.monthlyUsd) },
  ];
  const share = Math.max(...periods.map(({ used, ceiling }) => (ceiling > 0 ? used / ceiling : 0)));
  const level: Level = share >= 1 ? 'bad' : share >= NEAR_CEILING ? 'warn' : 'good';
  const text = periods.map(
    ({ name, used, ceiling }) => `${used.toFixed(2)}${ceiling > 0 ? ` of ${ceiling.toFixed(2)}` : ''} USD ${name}`,
  );
  return { name: 'AI spending', level, text: text.join(', '), href: '/admin/users' };
}
