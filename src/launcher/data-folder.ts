import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LaunchError } from './launch-error';
import { privateFolder } from './private-file';
import { projectRoot } from './project-root';
import { giveTo, serviceUser } from './service-user';

/** Root's services run under another account, which cannot enter a checkout below a closed home. */
const ROOTS_SERVICES = '/var/lib/gigvault';

/**
 * Is the installation's folder (GIGVAULT_DATA_DIR, `.gigvault` in the checkout), open to its owner only: secrets,
 * logs, the files that say what runs, and, unless root runs it, the data of PostgreSQL and Redis.
 */
export class DataFolder {
  readonly path: string;

  /** @throws LaunchError when the folder cannot be made or belongs to somebody else */
  constructor(setting = process.env['GIGVAULT_DATA_DIR']) {
    this.path = resolve(projectRoot(), setting || '.gigvault');
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new LaunchError(`Cannot make the data folder ${this.path}: ${(error as Error).message}`);
    }
    const { uid } = statSync(this.path);
    if (uid !== process.getuid?.()) {
      throw new LaunchError(`${this.path} belongs to user ${uid}. Start as that user, or set GIGVAULT_DATA_DIR.`);
    }
    privateFolder(this.path);
  }

  /** Returns the path of a file or folder inside. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Returns the log file of a process. */
  logOf(name: string): string {
    return join(privateFolder(this.at('logs')), `${name}.log`);
  }

  /**
   * Returns the folder the services keep their data in. For root that is one outside the checkout with a name nobody
   * can guess, owned by the services' account and closed to all others.
   */
  servicesFolder(unguessableName: string): string {
    const user = serviceUser();
    if (!user) return this.path;
    mkdirSync(ROOTS_SERVICES, { recursive: true });
    chmodSync(ROOTS_SERVICES, 0o711);
    const folder = privateFolder(join(ROOTS_SERVICES, unguessableName));
    giveTo(user, folder);
    return folder;
  }
}
