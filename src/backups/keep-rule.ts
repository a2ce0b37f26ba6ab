import type { KeptRow } from './backups.queries';

const DAY_MS = 24 * 3_600_000;

/** A backup that did not stand its check is kept so long, for whoever wants to know why. */
const FAILED_DAYS = 7;

/** How many are kept of each kind, and for how long at most. */
export interface KeepRule {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly maxDays: number;
}

/** What the rule needs to know of a backup. */
export type Kept = Pick<KeptRow, 'id' | 'status' | 'createdAt'>;

/**
 * Returns the ids of the backups whose files may go. Of those that are verified the newest of each of the last days, weeks
 * (from Monday) and months that have one stay, none longer than `maxDays`; the newest of all stays whatever its age. One
 * that waits or is being checked stays.
 * @param backups newest first
 */
export function idsToRemove(
  backups: readonly Kept[],
  { daily, weekly, monthly, maxDays }: KeepRule,
  now: Date,
): number[] {
  const verified = backups.filter(({ status }) => status === 'verified');
  const young = verified.filter(({ createdAt }) => ageInDays(createdAt, now) <= maxDays);
  const kept = new Set([
    ...verified.slice(0, 1),
    ...newestOfEach(young, daily, (at) => at.toISOString().slice(0, 10)),
    ...newestOfEach(young, weekly, weekOf),
    ...newestOfEach(young, monthly, (at) => at.toISOString().slice(0, 7)),
    ...backups.filter(
      ({ status, createdAt }) => status === 'failed' && ageInDays(createdAt, now) <= Math.min(FAILED_DAYS, maxDays),
    ),
    ...backups.filter(({ status }) => status === 'pending' || status === 'running'),
  ]);
  return backups.filter((backup) => !kept.has(backup)).map(({ id }) => id);
}

function newestOfEach(backups: readonly Kept[], count: number, periodOf: (at: Date) => string): Kept[] {
  const newest = new Map<string, Kept>();
  for (const backup of backups) {
    const period = periodOf(backup.createdAt);
    if (!newest.has(period)) newest.set(period, backup);
  }
  return [...newest.values()].slice(0, count);
}

/** By its Monday. */
function weekOf(at: Date): string {
  const sinceMonday = (at.getUTCDay() + 6) % 7;
  return new Date(at.getTime() - sinceMonday * DAY_MS).toISOString().slice(0, 10);
}

function ageInDays(at: Date, now: Date): number {
  return (now.getTime() - at.getTime()) / DAY_MS;
}
