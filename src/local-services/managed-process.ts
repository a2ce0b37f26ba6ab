import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import type { ServiceUser } from './file-permissions';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MAX_LOG_BYTES = 10 * 1024 * 1024;

interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  user?: ServiceUser;
  /** File its output is appended to; without one it writes to our terminal. */
  logFile?: string;
  /** File it reads as its standard input. */
  inputFile?: string;
}

interface StopOptions {
  signal: NodeJS.Signals;
  graceMs: number;
  /** Sent when the grace is over. */
  forceSignal: NodeJS.Signals;
}

/**
 * Is a child process in a process group of its own: Ctrl-C at the terminal reaches the launcher only, which then
 * stops its children in the right order.
 */
export class ManagedProcess {
  /** Settles when the process has ended, with a text for people: "code 1" or "signal SIGKILL". Never rejects. */
  readonly exited: Promise<string>;
  private readonly child: ChildProcess;
  private isExited = false;

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    private readonly options: ProcessOptions = {},
  ) {
    const log = options.logFile === undefined ? undefined : openLog(options.logFile);
    const input = options.inputFile === undefined ? undefined : openSync(options.inputFile, 'r');
    this.child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      detached: true,
      stdio: [input ?? 'ignore', log ?? 'inherit', log ?? 'inherit'],
      ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
    });
    for (const file of [input, log]) if (file !== undefined) closeSync(file);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
    });
    void this.exited.then(() => (this.isExited = true));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get hasExited(): boolean {
    return this.isExited;
  }

  /** Asks the process to end and waits; when the grace is over it is forced. Returns at once when it has ended. */
  async stop({ signal, graceMs, forceSignal: force }: StopOptions): Promise<void> {
    if (this.isExited) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill(force), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends the process without asking. */
  kill(signal: NodeJS.Signals): void {
    if (!this.isExited) this.child.kill(signal);
  }

  /** Returns the last lines of its log file, for an error message. */
  readLogTail(lines = 12): string {
    const { logFile } = this.options;
    if (logFile === undefined || !existsSync(logFile)) return '';
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

function openLog(file: string): number {
  if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** Returns a port of 127.0.0.1 nobody listens on: the preferred one if it is free, else one the system picks. */
export async function findFreePort(preferred = 0): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? 0;
}

/** Says whether a server could listen on this address now. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  return (await tryPort(port, host)) !== undefined;
}

function tryPort(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      const chosen = address && typeof address === 'object' ? address.port : undefined;
      server.close(() => resolve(chosen));
    });
  });
}

/** Says whether a process with this id runs, whoever owns it. One that only waits for its parent to look does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || readStat(pid) !== undefined;
}

/** Returns the command line of a running process, its words separated by blanks; undefined when there is none. */
export function readCommandLine(pid: number): string | undefined {
  if (process.platform !== 'linux') return queryPs(pid, 'command=');
  return readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim();
}

/**
 * Returns a text that is equal for two looks at one process and differs when the id was given to another one.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html field 22
 */
export function readStartTime(pid: number): string | undefined {
  return process.platform === 'linux' ? readStat(pid)?.[19] : queryPs(pid, 'lstart=');
}

/** Returns a text that changes whenever the process has used the processor: a process that is starting does. */
export function readCpuTime(pid: number): string {
  return (process.platform === 'linux' ? readStat(pid)?.slice(11, 13).join(' ') : queryPs(pid, 'time=')) ?? '';
}

/** Returns the fields from the third on (state, parent, …) of a process that has not ended. */
function readStat(pid: number): string[] | undefined {
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
function queryPs(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stops what a killed launcher left running, and returns whether there was something. The id in the pid file counts
 * only when that process's command line names `folder`: after a restart of the machine the id may be anyone's.
 * `signals` are sent in turn, each with `graceMs` to take effect.
 */
export async function stopOrphan(
  pidFile: string,
  folder: string,
  signals: readonly NodeJS.Signals[],
  graceMs = 10_000,
): Promise<boolean> {
  const pid = readPid(pidFile);
  const line = pid === undefined ? undefined : readCommandLine(pid);
  if (pid === undefined || line === undefined) return false;
  if (!line.includes(folder)) {
    // A stranger has the id now; PostgreSQL would take him for a server of its own and refuse to start.
    rmSync(pidFile);
    return false;
  }
  for (const signal of signals) {
    process.kill(pid, signal);
    if (await waitForExit(pid, graceMs)) return true;
  }
  throw new Error(`Process ${pid}, left by an earlier run, does not end`);
}

/** Waits at most `graceMs` for a process that is not our child, and returns whether it has ended. */
export async function waitForExit(pid: number, graceMs: number): Promise<boolean> {
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
