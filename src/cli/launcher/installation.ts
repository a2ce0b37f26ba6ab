import { rmSync, writeFileSync } from 'node:fs';
import { type DataFolder, OperatorError } from '../../local-services/data-folder';
import { readStartTime, waitForExit } from '../../local-services/managed-process';
import { readJsonFile, writePrivateFile } from '../../local-services/file-permissions';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../local-services/embedded-postgres';
import type { InstallationSecrets } from '../../local-services/installation-secrets';

interface ProcessIdentity {
  pid: number;
  /** Tells the process from a later one with the same id. */
  mark: string | undefined;
}

/**
 * Lets one launcher at a time use a data folder. Its file lists the launcher and its servers, so that after a kill -9
 * the next start can end the servers that were left.
 */
export class LauncherLock {
  private entries: Record<string, ProcessIdentity> = {};

  private constructor(private readonly file: string) {}

  /**
   * Takes the lock, after ending the servers a killed launcher left.
   * @throws LaunchError when another launcher runs on this folder
   */
  static async acquire(file: string): Promise<LauncherLock> {
    const found = readJsonFile<Record<string, ProcessIdentity>>(file);
    if (found?.['launcher'] && isRunning(found['launcher'])) {
      const { pid } = found['launcher'];
      throw new OperatorError(`Gigvault already runs here. Stop it first: Ctrl-C where it runs, or kill ${pid}`);
    }
    if (found) {
      await Promise.all(Object.values(found).filter(isRunning).map(terminate));
      rmSync(file, { force: true });
    }
    const lock = new LauncherLock(file);
    lock.entries = { launcher: identify(process.pid) };
    lock.createFile();
    return lock;
  }

  /** Adds a server. */
  addProcess(name: string, pid: number): void {
    this.entries[name] = identify(pid);
    writePrivateFile(this.file, JSON.stringify(this.entries));
  }

  /** Gives the folder free. */
  release(): void {
    rmSync(this.file, { force: true });
  }

  /** Two launchers started in the same moment: the file can be created once. */
  private createFile(): void {
    try {
      writeFileSync(this.file, JSON.stringify(this.entries), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new OperatorError('Gigvault is just being started here by another launcher.');
    }
  }
}

function identify(pid: number): ProcessIdentity {
  return { pid, mark: readStartTime(pid) };
}

function isRunning({ pid, mark }: ProcessIdentity): boolean {
  return mark !== undefined && readStartTime(pid) === mark;
}

async function terminate({ pid }: ProcessIdentity): Promise<void> {
  process.kill(pid, 'SIGTERM');
  if (await waitForExit(pid, 10_000)) return;
  process.kill(pid, 'SIGKILL');
  await waitForExit(pid, 5_000);
}

/** The database of an installation on embedded services. */
export const DATABASE_NAME = 'gigvault';

/** Returns the PostgreSQL of an installation, not started. */
export function createInstallationPostgres(folder: DataFolder, { values }: InstallationSecrets): EmbeddedPostgres {
  return new EmbeddedPostgres({
    folder: join(folder.createServicesFolder(values.servicesName), 'postgres'),
    logFile: folder.resolveLog('postgres'),
    superuserPassword: values.passwords.superuser,
    preferredPort: values.ports.postgres,
  });
}
