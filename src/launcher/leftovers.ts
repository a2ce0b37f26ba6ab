import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, isAlive } from './process-info';

/**
 * Stops what a killed launcher left running, and returns whether there was something. The id in the pid file counts
 * only when that process's command line names `folder`: after a restart of the machine the id may be anyone's.
 * `signals` are sent in turn, each with `graceMs` to take effect.
 */
export async function stopLeftover(
  pidFile: string,
  folder: string,
  signals: readonly NodeJS.Signals[],
  graceMs = 10_000,
): Promise<boolean> {
  const pid = readPid(pidFile);
  const line = pid === undefined ? undefined : commandLine(pid);
  if (pid === undefined || line === undefined) return false;
  if (!line.includes(folder)) {
    // A stranger has the id now; PostgreSQL would take him for a server of its own and refuse to start.
    rmSync(pidFile);
    return false;
  }
  for (const signal of signals) {
    process.kill(pid, signal);
    if (await hasEnded(pid, graceMs)) return true;
  }
  throw new Error(`Process ${pid}, left by an earlier run, does not end`);
}

/** Waits at most `graceMs` for a process that is not our child, and returns whether it has ended. */
export async function hasEnded(pid: number, graceMs: number): Promise<boolean> {
  const deadline = Date.now() + graceMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
