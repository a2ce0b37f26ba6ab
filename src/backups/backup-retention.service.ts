import {
  CLOSE_INTERRUPTED,
  DELETE_OLD,
  SET_FAILED,
  SET_REMOVED,
  STORED_BACKUPS,
  type StoredBackup,
} from './backups.queries';
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import type { TaskContext } from '../platform/scheduler/scheduled-task';
import { BackupStore, parseFileName } from './storage/backup-store';

const MS_PER_DAY = 24 * 3_600_000;

/** A backup that did not stand its check is kept so long, for whoever wants to know why. */
const FAILED_RETENTION_DAYS = 7;

/** How many are kept of each kind, and for how long at most. */
export interface RetentionPolicy {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly maxDays: number;
}

/** What the rule needs to know of a backup. */
export type RetentionCandidate = Pick<StoredBackup, 'id' | 'status' | 'createdAt'>;

/**
 * Returns the ids of the backups whose files may go. Of those that are verified the newest of each of the last days, weeks
 * (from Monday) and months that have one stay, none longer than `maxDays`; the newest of all stays whatever its age. One
 * that waits or is being checked stays.
 * @param backups newest first
 */
export function selectExpiredIds(
  backups: readonly RetentionCandidate[],
  { daily, weekly, monthly, maxDays }: RetentionPolicy,
  now: Date,
): number[] {
  const verified = backups.filter(({ status }) => status === 'verified');
  const recent = verified.filter(({ createdAt }) => getAgeDays(createdAt, now) <= maxDays);
  const kept = new Set([
    ...verified.slice(0, 1),
    ...selectNewestPerPeriod(recent, daily, (at) => at.toISOString().slice(0, 10)),
    ...selectNewestPerPeriod(recent, weekly, getWeek),
    ...selectNewestPerPeriod(recent, monthly, (at) => at.toISOString().slice(0, 7)),
    ...backups.filter(
      ({ status, createdAt }) =>
        status === 'failed' && getAgeDays(createdAt, now) <= Math.min(FAILED_RETENTION_DAYS, maxDays),
    ),
    ...backups.filter(({ status }) => status === 'pending' || status === 'running'),
  ]);
  return backups.filter((backup) => !kept.has(backup)).map(({ id }) => id);
}

function selectNewestPerPeriod(
  backups: readonly RetentionCandidate[],
  count: number,
  periodOf: (at: Date) => string,
): RetentionCandidate[] {
  const newest = new Map<string, RetentionCandidate>();
  for (const backup of backups) {
    const period = periodOf(backup.createdAt);
    if (!newest.has(period)) newest.set(period, backup);
  }
  return [...newest.values()].slice(0, count);
}

/** By its Monday. */
function getWeek(at: Date): string {
  const sinceMonday = (at.getUTCDay() + 6) % 7;
  return new Date(at.getTime() - sinceMonday * MS_PER_DAY).toISOString().slice(0, 10);
}

function getAgeDays(at: Date, now: Date): number {
  return (now.getTime() - at.getTime()) / MS_PER_DAY;
}

const DAY_MS = 24 * 3_600_000;

/** Keeps the rows of backups and the files in the store in step. Called by the one run at a time. */
@Injectable()
export class BackupRetentionService {
  constructor(
    private readonly config: Config,
    private readonly store: BackupStore,
  ) {}

  /** Closes what seems to be under way: nobody else is at work, so a process that died has left it. */
  async closeInterrupted({ asWorker }: TaskContext): Promise<void> {
    const lost = await asWorker((unit) => unit.query<{ fileName: string | null; status: string }>(CLOSE_INTERRUPTED));
    for (const { fileName, status } of lost)
      if (status === 'failed' && fileName !== null) await this.store.removePartial(fileName);
  }

  /** Removes what the rule does not keep, and marks what has gone without it. Returns how many were removed. */
  async prune({ readOnly: look, asWorker }: TaskContext): Promise<number> {
    const maxDays = this.config.retention.backupDays;
    const kept = await look((unit) => unit.query<StoredBackup>(STORED_BACKUPS));
    const stored = await this.store.list();
    const missing = kept.filter(({ fileName, status }) => status === 'verified' && !stored.includes(fileName));
    for (const { id } of missing)
      await asWorker((unit) => unit.query(SET_FAILED, [id, 'its file is gone from the store']));
    const ids = new Set(
      selectExpiredIds(
        kept.filter((row) => !missing.includes(row)),
        { ...this.config.backups.keep, maxDays },
        new Date(),
      ),
    );
    for (const { id, fileName } of kept.filter((row) => ids.has(row.id))) {
      await this.store.remove(fileName);
      await asWorker((unit) => unit.query(SET_REMOVED, [id]));
    }
    await this.removeUnknownFiles(
      stored.filter((name) => !kept.some(({ fileName }) => fileName === name)),
      maxDays,
    );
    await asWorker((unit) => unit.query(DELETE_OLD));
    return ids.size;
  }

  /** A file without a row, such as one of the time before a restore, goes when it is as old as any backup may be. */
  private async removeUnknownFiles(names: readonly string[], maxDays: number): Promise<void> {
    const oldest = Date.now() - maxDays * DAY_MS;
    for (const name of names)
      if ((parseFileName(name)?.takenAt.getTime() ?? Infinity) < oldest) await this.store.remove(name);
  }
}
