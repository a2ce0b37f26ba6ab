import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder, whyNotUsable } from '../../platform/config/usable-folder';
import type { Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError, BackupStore, sortNewestFirst } from './backup-store';

/** A local or mounted folder, accessible to its owner only. */
export class FolderStore extends BackupStore {
  readonly kind = 'folder';

  constructor(private readonly folder: string) {
    super();
  }

  async write(name: string, content: Bytes, signal?: AbortSignal): Promise<void> {
    const partialPath = this.buildPartialPath(name);
    try {
      await makeFolder(this.folder);
      await chmod(this.folder, 0o700);
      await pipeline(
        Readable.from(content, { objectMode: false }),
        createWriteStream(partialPath, { mode: 0o600, flush: true }),
        { signal },
      );
      await rename(partialPath, join(this.folder, name));
      await this.syncFolder();
    } catch (error) {
      // A folder that cannot be written to contains no partial file.
      await this.removePartial(name).catch(() => undefined);
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR')
        throw createUnusableError(await whyNotUsable(this.folder), error);
      throw toBackupError(error);
    }
  }

  async *read(name: string): Bytes & AsyncGenerator<Buffer> {
    try {
      for await (const chunk of createReadStream(join(this.folder, name))) yield chunk as Buffer;
    } catch (error) {
      throw toBackupError(error);
    }
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.folder, name), { force: true });
    await this.removePartial(name);
  }

  async removePartial(name: string): Promise<void> {
    await rm(this.buildPartialPath(name), { force: true });
  }

  async list(): Promise<string[]> {
    try {
      return sortNewestFirst(await readdir(this.folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw toBackupError(error);
    }
  }

  async sizeOf(name: string): Promise<number | null> {
    try {
      const { size } = await stat(join(this.folder, name));
      return size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw toBackupError(error);
    }
  }

  private buildPartialPath(name: string): string {
    return join(this.folder, `${name}.part`);
  }

  /** Flushes the folder: a file's name is durable only then. */
  private async syncFolder(): Promise<void> {
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

const ERROR_TEXTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is exhausted',
  EROFS: 'the disk is read only',
  EACCES: 'permission denied',
  ENOENT: 'no such file',
};

function createUnusableError(reason: string | undefined, cause: unknown): BackupError {
  return new BackupError(`BACKUP_DIR is not usable: ${reason ?? 'it is a file, not a folder'}.`, { cause });
}

function toBackupError(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  const text = code === undefined ? undefined : ERROR_TEXTS[code];
  if (text === undefined) return error;
  return new BackupError(`BACKUP_DIR is not usable: ${path === undefined ? '' : `${path}: `}${text}.`, {
    cause: error,
  });
}
