import type { Bytes } from '../../platform/encryption/sealed-stream';

/** A backup was not made, or did not stand the check, for a reason an admin can read; it never holds a secret. */
export class BackupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = BackupError.name;
  }
}

/** A place for backup files, apart from the database. Files are written once and never changed. */
export abstract class BackupStore {
  /** How the row of a backup and the dashboard call it. */
  abstract readonly kind: 'folder' | 's3';

  /**
   * Writes a file, whole or not at all: when `content` or the store fails, nothing is left of it.
   * @throws what `content` throws, or BackupError when the store does not take it
   */
  abstract write(name: string, content: Bytes, signal?: AbortSignal): Promise<void>;

  /** Reads a file. @throws BackupError, also while it is read, when it is not there or the store does not give it */
  abstract read(name: string): Bytes;

  /** Removes a file; one that is not there is as good. */
  abstract remove(name: string): Promise<void>;

  /** Removes what a writer that died may have left of a file, not the file. */
  abstract removePartial(name: string): Promise<void>;

  /** Returns the size of a file in bytes, null when it is not there. @throws BackupError when the store cannot be read */
  abstract sizeOf(name: string): Promise<number | null>;

  /** The names of the backups that are there, newest first. */
  abstract list(): Promise<string[]>;
}

/** How backup files are called: when, and the number of their row in table backups. */
const FILE_NAME = /^gigvault-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\d+)\.backup$/;

/** The name of the file of a backup. */
export function buildFileName(id: number, takenAt: Date): string {
  return `gigvault-${takenAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${id}.backup`;
}

/** What the name of a file tells; undefined when it is none of a backup. */
export function parseFileName(name: string): { readonly id: number; readonly takenAt: Date } | undefined {
  const [, year, month, day, hour, minute, second, id] = FILE_NAME.exec(name) ?? [];
  return id === undefined
    ? undefined
    : { id: Number(id), takenAt: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) };
}

/** The names of backups among others, newest first. */
export function sortNewestFirst(names: readonly string[]): string[] {
  return names
    .filter((name) => FILE_NAME.test(name))
    .sort()
    .reverse();
}
