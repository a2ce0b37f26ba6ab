import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { changeOwner, createPrivateFolder, findServiceUser } from './file-permissions';

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

/** Services of root run as another account, which may have no access to the checkout. */
const ROOT_SERVICES_FOLDER = '/var/lib/gigvault';

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
   * Creates and returns the folder for the services' data. For root it is outside the checkout, has an unguessable
   * name, and only the services' account has access.
   */
  createServicesFolder(unguessableName: string): string {
    const user = findServiceUser();
    if (!user) return this.path;
    mkdirSync(ROOT_SERVICES_FOLDER, { recursive: true });
    chmodSync(ROOT_SERVICES_FOLDER, 0o711);
    const folder = createPrivateFolder(join(ROOT_SERVICES_FOLDER, unguessableName));
    changeOwner(user, folder);
    return folder;
  }
}
