import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { KeyFile } from '../platform/encryption/key-file';
import { createPrivateFolder, findServerUsers, findServiceUser, giveTo, type ServerUsers } from './file-permissions';

/** Name of the file of the master keys in the data folder. */
export const KEY_FILE_NAME = 'encryption-keys.json';

/** An error that the operator can solve: only its message is printed, without a stack trace. */
export class OperatorError extends Error {
  override name = 'OperatorError';

  /** @param cure a command or a change of a setting; absent when the reason contains it */
  constructor(
    readonly reason: string,
    readonly cure?: string,
  ) {
    super(cure === undefined ? reason : `${reason.charAt(0).toUpperCase()}${reason.slice(1)}. Cure: ${cure}`);
  }
}

/** Returns the checkout's root: the nearest parent folder with a package.json, the same from src/ and dist/. */
export function findProjectRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${__dirname}`);
    folder = parent;
  }
  return folder;
}

/** Returns the path of the data folder: GIGVAULT_DATA_DIR, or `.gigvault` in the checkout. It may not exist. */
export function findDataFolder(setting = process.env['GIGVAULT_DATA_DIR']): string {
  return resolve(findProjectRoot(), setting || '.gigvault');
}

const BACKUPS_NAME = 'backups';

const ROOT = { uid: 0, gid: 0 } as const;

/** Services of root run as another account, which may have no access to the checkout. */
const ROOT_SERVICES_FOLDER = '/var/lib/gigvault';

/**
 * Returns the path of the folder for the services' data, which may not exist. For root it is outside the checkout and
 * has an unguessable name; everybody else uses the data folder.
 */
export function findServicesFolder(dataFolder: string, unguessableName: string): string {
  return findServiceUser() ? join(ROOT_SERVICES_FOLDER, unguessableName) : dataFolder;
}

/**
 * The folder of an installation (see `findDataFolder`), created when it is missing. Only its owner has access. It
 * contains secrets, logs, lock and service files and, unless root runs it, the data of PostgreSQL and Redis.
 */
export class DataFolder {
  readonly path: string;

  /** @throws OperatorError when the folder cannot be created or belongs to another user */
  constructor(setting = process.env['GIGVAULT_DATA_DIR']) {
    this.path = findDataFolder(setting);
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new OperatorError(`Cannot create the data folder ${this.path}: ${(error as Error).message}`);
    }
    const { uid } = statSync(this.path);
    if (uid !== process.getuid?.()) {
      throw new OperatorError(`${this.path} belongs to user ${uid}`, 'start as that user, or set GIGVAULT_DATA_DIR');
    }
    createPrivateFolder(this.path);
  }

  /** Returns the path of a file or folder in this folder. */
  resolve(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Returns the path of a process's log file. */
  resolveLog(name: string): string {
    return join(createPrivateFolder(this.resolve('logs')), `${name}.log`);
  }

  /**
   * Creates and returns the folder for the services' data (see `findServicesFolder`). Under root it belongs to root, so
   * that no account can replace the folder of another in it.
   */
  createServicesFolder(unguessableName: string): string {
    const folder = findServicesFolder(this.path, unguessableName);
    if (folder === this.path) return folder;
    mkdirSync(ROOT_SERVICES_FOLDER, { recursive: true });
    chmodSync(ROOT_SERVICES_FOLDER, 0o711);
    // Each account enters it to reach its own folder, which is closed to the others. Running servers use it.
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    giveTo(folder, ROOT, 0o711);
    return folder;
  }

  /**
   * Creates and returns the folder of API and worker for keys and backups. For root it is outside of this folder. Both
   * write the key file; the worker writes backups, which the API may list. What an earlier version left in this folder
   * is moved there, and links remain. No server may run: the folder is closed to both accounts until all is in place,
   * so that neither can replace what root gives away.
   */
  createServersFolder(unguessableName: string): string {
    const users = findServerUsers();
    if (!users) return this.path;
    const folder = join(this.createServicesFolder(unguessableName), 'servers');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    giveTo(folder, ROOT, 0o700);
    this.moveKeys(join(folder, KEY_FILE_NAME), users);
    this.moveBackups(join(folder, BACKUPS_NAME), users);
    giveTo(folder, users.worker, 0o770);
    return folder;
  }

  private moveKeys(target: string, users: ServerUsers): void {
    const source = this.resolve(KEY_FILE_NAME);
    if (isOwnEntry(source)) {
      new KeyFile(target).replace(new KeyFile(source).read());
      replaceByLink(source, target);
    }
    if (existsSync(target)) giveTo(target, users.worker, 0o640);
  }

  private moveBackups(target: string, users: ServerUsers): void {
    const source = this.resolve(BACKUPS_NAME);
    mkdirSync(target, { recursive: true, mode: 0o700 });
    giveTo(target, ROOT, 0o700);
    if (isOwnEntry(source)) {
      // The worker's entries first: the copy could write through a link.
      giveEntries(target, ROOT);
      cpSync(source, target, { recursive: true, preserveTimestamps: true });
    }
    giveEntries(target, users.worker);
    giveTo(target, users.worker, 0o750);
    if (!isLink(source)) replaceByLink(source, target);
  }
}

/** Gives the files in a folder, which must be closed, to an account. */
function giveEntries(folder: string, owner: Parameters<typeof giveTo>[1]): void {
  for (const name of readdirSync(folder)) giveTo(join(folder, name), owner, 0o600);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Returns true for an existing file or folder, false for a link. */
function isOwnEntry(path: string): boolean {
  return existsSync(path) && !isLink(path);
}

function replaceByLink(path: string, target: string): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}
