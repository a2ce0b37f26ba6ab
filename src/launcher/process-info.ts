import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Says whether a process with this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
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
  if (process.platform !== 'linux') return ask(pid, 'lstart=');
  const stat = readProc(pid, 'stat');
  // The second field is the program's name in brackets and may hold blanks itself.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
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
