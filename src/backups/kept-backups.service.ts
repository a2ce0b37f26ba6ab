import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import type { TaskContext } from '../platform/scheduler/scheduled-task';
import { BackupStore, readFileName } from './backup-store';
import { CLOSE_LOST, FAILED, FORGET_OLD, KEPT, REMOVED, type KeptRow } from './backups.queries';
import { idsToRemove } from './keep-rule';

const DAY_MS = 24 * 3_600_000;

/** Keeps the rows of backups and the files in the store in step. Called by the one run at a time. */
@Injectable()
export class KeptBackups {
  constructor(
    private readonly config: Config,
    private readonly store: BackupStore,
  ) {}

  /** Closes what seems to be under way: nobody else is at work, so a process that died has left it. */
  async closeLost({ asWorker }: TaskContext): Promise<void> {
    const lost = await asWorker((unit) => unit.query<{ fileName: string | null; status: string }>(CLOSE_LOST));
    for (const { fileName, status } of lost)
      if (status === 'failed' && fileName !== null) await this.store.clearPart(fileName);
  }

  /** Removes what the rule does not keep, and marks what has gone without it. Returns how many were removed. */
  async prune({ look, asWorker }: TaskContext): Promise<number> {
    const maxDays = this.config.retention.backupDays;
    const kept = await look((unit) => unit.query<KeptRow>(KEPT));
    const there = await this.store.list();
    const gone = kept.filter(({ fileName, status }) => status === 'verified' && !there.includes(fileName));
    for (const { id } of gone) await asWorker((unit) => unit.query(FAILED, [id, 'its file is gone from the store']));
    const ids = new Set(
      idsToRemove(
        kept.filter((row) => !gone.includes(row)),
        { ...this.config.backups.keep, maxDays },
        new Date(),
      ),
    );
    for (const { id, fileName } of kept.filter((row) => ids.has(row.id))) {
      await this.store.remove(fileName);
      await asWorker((unit) => unit.query(REMOVED, [id]));
    }
    await this.removeUnknown(
      there.filter((name) => !kept.some(({ fileName }) => fileName === name)),
      maxDays,
    );
    await asWorker((unit) => unit.query(FORGET_OLD));
    return ids.size;
  }

  /** A file without a row, such as one of the time before a restore, goes when it is as old as any backup may be. */
  private async removeUnknown(names: readonly string[], maxDays: number): Promise<void> {
    const oldest = Date.now() - maxDays * DAY_MS;
    for (const name of names)
      if ((readFileName(name)?.takenAt.getTime() ?? Infinity) < oldest) await this.store.remove(name);
  }
}
