import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder, whyNotUsable } from '../../platform/config/usable-folder';
import type { Bytes } from '../../platform/encryption/sealed-stream';

/** A failed backup or check. The message is written for admins and never contains a secret. */
export class BackupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = BackupError.name;
  }
}

/** Storage for backup files, outside the database. Files are written once and never changed. */
export abstract class BackupStore {
  /** The name used in rows of backups and on the dashboard. */
  abstract readonly kind: 'folder' | 's3';

  /**
   * Writes a file atomically: when `content` or the store fails, no part remains.
   * @throws the error of `content`, or BackupError when the store rejects the file
   */
  abstract write(name: string, content: Bytes, signal?: AbortSignal): Promise<void>;

  /** Streams a file. @throws BackupError, also while reading, when the file is missing or the store fails */
  abstract read(name: string): Bytes;

  /** Removes a file; succeeds when it does not exist. */
  abstract remove(name: string): Promise<void>;

  /** Removes the remains of an interrupted write, not the file itself. */
  abstract removePartial(name: string): Promise<void>;

  /**
   * Returns the size of a file in bytes; null when it does not exist.
   * @throws BackupError when the store cannot be read
   */
  abstract sizeOf(name: string): Promise<number | null>;

  /** Lists the names of the stored backups, newest first. */
  abstract list(): Promise<string[]>;
}

/** Name of a backup file: the time it was taken and the id of its row in table backups. */
const FILE_NAME = /^gigvault-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\d+)\.backup$/;

/** Builds the name of a backup's file. */
export function buildFileName(id: number, takenAt: Date): string {
  return `gigvault-${takenAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${id}.backup`;
}

/** Parses a backup's file name; undefined for other files. */
export function parseFileName(name: string): { readonly id: number; readonly takenAt: Date } | undefined {
  const [, year, month, day, hour, minute, second, id] = FILE_NAME.exec(name) ?? [];
  return id === undefined
    ? undefined
    : { id: Number(id), takenAt: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) };
}

/** Keeps the names of backups and sorts them, newest first. */
export function sortNewestFirst(names: readonly string[]): string[] {
  return names
    .filter((name) => FILE_NAME.test(name))
    .sort()
    .reverse();
}

/** A local or mounted folder, closed to others than its owner and group. */
export class FolderStore extends BackupStore {
  readonly kind = 'folder';

  constructor(private readonly folder: string) {
    super();
  }

  async write(name: string, content: Bytes, signal?: AbortSignal): Promise<void> {
    const partialPath = this.buildPartialPath(name);
    try {
      await makeFolder(this.folder);
      // A group may list the backups when the launcher has said so.
      await chmod(this.folder, (await stat(this.folder)).mode & 0o750);
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
