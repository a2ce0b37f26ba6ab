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
