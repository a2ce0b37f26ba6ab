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

/** A backup that failed its check is kept this long, so that an admin can examine it. */
const FAILED_RETENTION_DAYS = 7;

/** The number of backups kept per kind of period, and their maximum age. */
export interface RetentionPolicy {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly maxDays: number;
}

/** The fields of a backup that the policy needs. */
export type RetentionCandidate = Pick<StoredBackup, 'id' | 'status' | 'createdAt'>;

/**
 * Returns the ids of the backups whose files may be removed. Keeps the newest verified backup of each of the last days,
 * weeks (from Monday) and months that have one, for at most `maxDays`. Always keeps the newest verified backup, and
 * those that are pending or running.
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
  getPeriod: (at: Date) => string,
): RetentionCandidate[] {
  const newest = new Map<string, RetentionCandidate>();
  for (const backup of backups) {
    const period = getPeriod(backup.createdAt);
    if (!newest.has(period)) newest.set(period, backup);
  }
  return [...newest.values()].slice(0, count);
}

/** Returns the date of the week's Monday. */
function getWeek(at: Date): string {
  const sinceMonday = (at.getUTCDay() + 6) % 7;
  return new Date(at.getTime() - sinceMonday * MS_PER_DAY).toISOString().slice(0, 10);
}

function getAgeDays(at: Date, now: Date): number {
  return (now.getTime() - at.getTime()) / MS_PER_DAY;
}

/** Keeps the rows of backups and the files in the store consistent. The caller holds the lock of backup runs. */
@Injectable()
export class BackupRetentionService {
  constructor(
    private readonly config: Config,
    private readonly store: BackupStore,
  ) {}

  /** Closes backups still marked as running: the caller holds the lock, so their process has died. */
  async closeInterrupted({ asWorker }: TaskContext): Promise<void> {
    const interrupted = await asWorker((unit) =>
      unit.query<{ fileName: string | null; status: string }>(CLOSE_INTERRUPTED),
    );
    for (const { fileName, status } of interrupted)
      if (status === 'failed' && fileName !== null) await this.store.removePartial(fileName);
  }

  /** Removes backups the policy does not keep, and marks those whose file is missing. Returns the number removed. */
  async prune({ readOnly, asWorker }: TaskContext): Promise<number> {
    const maxDays = this.config.retention.backupDays;
    const backups = await readOnly((unit) => unit.query<StoredBackup>(STORED_BACKUPS));
    const stored = await this.store.list();
    const missing = backups.filter(({ fileName, status }) => status === 'verified' && !stored.includes(fileName));
    for (const { id } of missing)
      await asWorker((unit) => unit.query(SET_FAILED, [id, 'its file is missing from the store']));
    const expiredIds = new Set(
      selectExpiredIds(
        backups.filter((row) => !missing.includes(row)),
        { ...this.config.backups.keep, maxDays },
        new Date(),
      ),
    );
    for (const { id, fileName } of backups.filter((row) => expiredIds.has(row.id))) {
      await this.store.remove(fileName);
      await asWorker((unit) => unit.query(SET_REMOVED, [id]));
    }
    await this.removeUnknownFiles(
      stored.filter((name) => !backups.some(({ fileName }) => fileName === name)),
      maxDays,
    );
    await asWorker((unit) => unit.query(DELETE_OLD));
    return expiredIds.size;
  }

  /** Removes files without a row, for example from before a restore, once they exceed the maximum age. */
  private async removeUnknownFiles(names: readonly string[], maxDays: number): Promise<void> {
    const oldest = Date.now() - maxDays * MS_PER_DAY;
    for (const name of names)
      if ((parseFileName(name)?.takenAt.getTime() ?? Infinity) < oldest) await this.store.remove(name);
  }
}
