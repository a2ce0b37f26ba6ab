import { rmSync, writeFileSync } from 'node:fs';
import { LaunchError } from './launch-error';
import { hasEnded } from './leftovers';
import { readJsonFile, writePrivateFile } from './private-file';
import { startMark } from './process-info';

interface ProcessMark {
  pid: number;
  /** Tells the process from a later one with the same id. */
  mark: string | undefined;
}

/**
 * Lets one launcher at a time use a data folder. Its file lists the launcher and its servers, so that after a kill -9
 * the next start can end the servers that were left.
 */
export class LauncherLock {
  private entries: Record<string, ProcessMark> = {};

  private constructor(private readonly file: string) {}

  /**
   * Takes the lock, after ending the servers a killed launcher left.
   * @throws LaunchError when another launcher runs on this folder
   */
  static async take(file: string): Promise<LauncherLock> {
    const found = readJsonFile<Record<string, ProcessMark>>(file);
    if (found?.['launcher'] && isRunning(found['launcher'])) {
      const { pid } = found['launcher'];
      throw new LaunchError(`Gigvault already runs here. Stop it first: Ctrl-C where it runs, or kill ${pid}`);
    }
    if (found) {
      await Promise.all(Object.values(found).filter(isRunning).map(end));
      rmSync(file, { force: true });
    }
    const lock = new LauncherLock(file);
    lock.entries = { launcher: markOf(process.pid) };
    lock.create();
    return lock;
  }

  /** Adds a server. */
  note(name: string, pid: number): void {
    this.entries[name] = markOf(pid);
    writePrivateFile(this.file, JSON.stringify(this.entries));
  }

  /** Gives the folder free. */
  release(): void {
    rmSync(this.file, { force: true });
  }

  /** Two launchers started in the same moment: the file can be created once. */
  private create(): void {
    try {
      writeFileSync(this.file, JSON.stringify(this.entries), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new LaunchError('Gigvault is just being started here by another launcher.');
    }
  }
}

function markOf(pid: number): ProcessMark {
  return { pid, mark: startMark(pid) };
}

function isRunning({ pid, mark }: ProcessMark): boolean {
  return mark !== undefined && startMark(pid) === mark;
}

async function end({ pid }: ProcessMark): Promise<void> {
  process.kill(pid, 'SIGTERM');
  if (await hasEnded(pid, 10_000)) return;
  process.kill(pid, 'SIGKILL');
  await hasEnded(pid, 5_000);
}
