import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { homedir } from 'node:os';
import { changeOwner, createPrivateFolder, findServiceUser } from './file-permissions';

/** Is a failure to start that the person at the terminal can act on: its message is printed alone, without a stack. */
export class OperatorError extends Error {
  override name = 'LaunchError';
}

/** Returns the checkout's root (the nearest folder above with a package.json), the same from src/ and from dist/. */
export function findProjectRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${__dirname}`);
    folder = parent;
  }
  return folder;
}

/**
 * Returns a folder for programs fetched or copied once. Root's is readable by the account the services run under and
 * writable by nobody else; others use their own cache, or the checkout when they have no home.
 */
export function findCacheFolder(): string {
  const candidates =
    process.getuid?.() === 0
      ? ['/var/cache/gigvault']
      : [
          join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gigvault'),
          join(findProjectRoot(), '.cache'),
        ];
  for (const folder of candidates) {
    if (isWritable(folder)) return folder;
  }
  throw new Error(`None of these folders can be written: ${candidates.join(', ')}`);
}

function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Root's services run under another account, which cannot enter a checkout below a closed home. */
const ROOT_SERVICES_FOLDER = '/var/lib/gigvault';

/**
 * Is the installation's folder (GIGVAULT_DATA_DIR, `.gigvault` in the checkout), open to its owner only: secrets,
 * logs, the files that say what runs, and, unless root runs it, the data of PostgreSQL and Redis.
 */
export class DataFolder {
  readonly path: string;

  /** @throws LaunchError when the folder cannot be made or belongs to somebody else */
  constructor(setting = process.env['GIGVAULT_DATA_DIR']) {
    this.path = resolve(findProjectRoot(), setting || '.gigvault');
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new OperatorError(`Cannot make the data folder ${this.path}: ${(error as Error).message}`);
    }
    const { uid } = statSync(this.path);
    if (uid !== process.getuid?.()) {
      throw new OperatorError(`${this.path} belongs to user ${uid}. Start as that user, or set GIGVAULT_DATA_DIR.`);
    }
    createPrivateFolder(this.path);
  }

  /** Returns the path of a file or folder inside. */
  resolve(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Returns the log file of a process. */
  resolveLog(name: string): string {
    return join(createPrivateFolder(this.resolve('logs')), `${name}.log`);
  }

  /**
   * Returns the folder the services keep their data in. For root that is one outside the checkout with a name nobody
   * can guess, owned by the services' account and closed to all others.
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
