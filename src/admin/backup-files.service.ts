import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { BackupError } from '../backups/backup-error';
import type { BackupStore } from '../backups/backup-store';
import { storeOf } from '../backups/store-of';
import { Config } from '../platform/config/config';
import type { KeptFile } from './backups.queries';

/** A store that does not answer within this time is not known. */
const PATIENCE_MS = 2_000;

/** Open pages look every second; a store is asked less often. */
const FRESH_MS = { folder: 1_000, s3: 30_000 } as const;

/** What the store says about a file. */
export type FileState =
  { readonly status: 'present' } | { readonly status: 'missing' | 'unknown'; readonly reason: string };

/** Looks whether the files of backups are where their rows say, without reading them. */
@Injectable()
export class BackupFilesService {
  private readonly store: BackupStore;
  private last: { readonly name: string; readonly at: number; readonly state: Promise<FileState> } | undefined;

  constructor(config: Config) {
    this.store = storeOf(config.backups);
  }

  /** Returns whether the file of a backup is in the store with its size; the answer is seconds old at most. */
  check(file: KeptFile): Promise<FileState> {
    const { last } = this;
    const isFresh = last?.name === file.fileName && Date.now() - last.at < FRESH_MS[this.store.kind];
    const state = isFresh ? last.state : this.look(file);
    if (!isFresh) this.last = { name: file.fileName, at: Date.now(), state };
    return state;
  }

  /** Returns the names of the backups in the store; null when the store does not answer. */
  async names(): Promise<ReadonlySet<string> | null> {
    const names = await within(this.store.list()).catch(() => null);
    return names && new Set(names);
  }

  private async look({ id, store, fileName, sizeBytes }: KeptFile): Promise<FileState> {
    if (store !== this.store.kind)
      return { status: 'unknown', reason: `backup ${id} is in another store (${store}) than the settings name` };
    try {
      const size = await within(this.store.sizeOf(fileName));
      if (size === null)
        return { status: 'missing', reason: `the file of backup ${id} (${fileName}) is not in the store` };
      if (size === sizeBytes) return { status: 'present' };
      return { status: 'missing', reason: `the file of backup ${id} has ${size} bytes instead of ${sizeBytes}` };
    } catch (error) {
      return { status: 'unknown', reason: error instanceof BackupError ? error.message : 'the store cannot be read' };
    }
  }
}

/** A file system that hangs must not hang the page. */
async function within<T>(work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const timeout = sleep(PATIENCE_MS, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new BackupError('the store of backups does not answer in time');
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timeout.catch(() => undefined);
    stop.abort();
    work.catch(() => undefined);
  }
}
