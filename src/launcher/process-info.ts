import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Says whether a process with this id runs, whoever owns it. One that only waits for its parent to look does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || statOf(pid) !== undefined;
}

/** Returns the command line of a running process, its words separated by blanks; undefined when there is none. */
export function commandLine(pid: number): string | undefined {
  if (process.platform !== 'linux') return ask(pid, 'command=');
  return readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim();
}

/**
 * Returns a text that is equal for two looks at one process and differs when the id was given to another one.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html field 22
 */
export function startMark(pid: number): string | undefined {
  return process.platform === 'linux' ? statOf(pid)?.[19] : ask(pid, 'lstart=');
}

/** Returns a text that changes whenever the process has used the processor: a process that is starting does. */
export function cpuMark(pid: number): string {
  return (process.platform === 'linux' ? statOf(pid)?.slice(11, 13).join(' ') : ask(pid, 'time=')) ?? '';
}

/** Returns the fields from the third on (state, parent, …) of a process that has not ended. */
function statOf(pid: number): string[] | undefined {
  const stat = readProc(pid, 'stat');
  // The second field is the program's name in brackets and may hold blanks itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A container whose first process reaps no orphans keeps the ended ones as zombies.
  return fields?.[0] === 'Z' ? undefined : fields;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}

/** macOS has no /proc; a slim Debian has no ps: hence the two ways. */
function ask(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
