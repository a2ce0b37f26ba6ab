import { existsSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { OperatorError } from '../../local-services/data-folder';
import { readStartTime, waitForExit } from '../../local-services/managed-process';
import { createPrivateFile, readDisposableJsonFile, writePrivateFile } from '../../local-services/file-permissions';

const PROCESS = z.object({
  pid: z.number(),
  /** Start time of the process; differs when the system reuses the id. */
  mark: z.string().optional(),
});

type ProcessIdentity = z.infer<typeof PROCESS>;

const CONTENT = z.record(z.string(), PROCESS);

/**
 * Lock of a data folder, held by one launcher at a time. Its file lists the launcher and its servers: after a kill -9
 * the next start terminates the orphaned servers.
 */
export class LauncherLock {
  private entries: Record<string, ProcessIdentity> = {};

  private constructor(private readonly file: string) {}

  /**
   * Takes the lock. Terminates the orphaned servers of a killed launcher first.
   * @throws OperatorError when another launcher uses this folder
   */
  static async acquire(file: string): Promise<LauncherLock> {
    const exists = existsSync(file);
    // A damaged file is of a launcher that has ended: earlier versions left one on a full disk.
    const { data: found = {} } = CONTENT.safeParse(readDisposableJsonFile(file));
    if (found['launcher'] && isRunning(found['launcher'])) {
      const { pid } = found['launcher'];
      throw new OperatorError(`Gigvault already runs here. Stop it first: Ctrl-C where it runs, or kill ${pid}`);
    }
    await Promise.all(Object.values(found).filter(isRunning).map(terminate));
    // Never a file that another launcher has created since.
    if (exists) rmSync(file, { force: true });
    const lock = new LauncherLock(file);
    lock.entries = { launcher: identify(process.pid) };
    lock.createFile();
    return lock;
  }

  /** Adds a server to the file. */
  addProcess(name: string, pid: number): void {
    this.entries[name] = identify(pid);
    writePrivateFile(this.file, JSON.stringify(this.entries));
  }

  /** Releases the folder. */
  release(): void {
    rmSync(this.file, { force: true });
  }

  /** Creates the file exclusively: of two launchers that start at the same moment, one fails. */
  private createFile(): void {
    try {
      createPrivateFile(this.file, JSON.stringify(this.entries));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new OperatorError('Another launcher is starting Gigvault here.');
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
