import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { BackupError, type BackupStore } from '../../../backups/storage/backup-store';
import { createBackupStore } from '../../../backups/storage/s3-store';
import { Config } from '../../../platform/config/config';
import type { StoredBackupFile } from './backups.queries';

/** A store that does not answer within this time counts as unknown. */
const STORE_TIMEOUT_MS = 2_000;

/** Open pages poll every second; an S3 store is asked less often. */
const CACHE_MS = { folder: 1_000, s3: 30_000 } as const;

/** The state of a file in the store. */
export type BackupFileState =
  { readonly status: 'present' } | { readonly status: 'missing' | 'unknown'; readonly reason: string };

/** Checks that the files of backups exist with the right size, without reading them. */
@Injectable()
export class BackupFilesService {
  private readonly store: BackupStore;
  private lastCheck:
    { readonly name: string; readonly checkedAt: number; readonly state: Promise<BackupFileState> } | undefined;

  constructor(config: Config) {
    this.store = createBackupStore(config.backups);
  }

  /** Checks that a backup's file is in the store with its size. The result is cached: 1 s for a folder, 30 s for S3. */
  checkFile(file: StoredBackupFile): Promise<BackupFileState> {
    const { lastCheck: last } = this;
    const isCached = last?.name === file.fileName && Date.now() - last.checkedAt < CACHE_MS[this.store.kind];
    const state = isCached ? last.state : this.readState(file);
    if (!isCached) this.lastCheck = { name: file.fileName, checkedAt: Date.now(), state };
    return state;
  }

  /** Lists the names of the backups in the store; null when the store does not answer. */
  async listNames(): Promise<ReadonlySet<string> | null> {
    const names = await withTimeout(this.store.list()).catch(() => null);
    return names && new Set(names);
  }

  private async readState({ id, store, fileName, sizeBytes }: StoredBackupFile): Promise<BackupFileState> {
    if (store !== this.store.kind)
      return { status: 'unknown', reason: `backup ${id} is in another store (${store}) than the configured one` };
    try {
      const size = await withTimeout(this.store.sizeOf(fileName));
      if (size === null)
        return { status: 'missing', reason: `the file of backup ${id} (${fileName}) is not in the store` };
      if (size === sizeBytes) return { status: 'present' };
      return { status: 'missing', reason: `the file of backup ${id} has ${size} bytes instead of ${sizeBytes}` };
    } catch (error) {
      return {
        status: 'unknown',
        reason: error instanceof BackupError ? error.message : 'the backup store cannot be read',
      };
    }
  }
}

/** Limits the wait: a file system that hangs must not block the page. */
async function withTimeout<T>(work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const timeout = sleep(STORE_TIMEOUT_MS, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new BackupError('the backup store does not answer in time');
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timeout.catch(() => undefined);
    stop.abort();
    work.catch(() => undefined);
  }
}
