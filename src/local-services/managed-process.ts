import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import type { ServiceUser } from './file-permissions';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MAX_LOG_BYTES = 10 * 1024 * 1024;

interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  user?: ServiceUser;
  /** File for its output, which is appended; default: the terminal. */
  logFile?: string;
  /** File for its standard input. */
  inputFile?: string;
  /** The process waits for `release`: a line on its standard input. */
  isOnStandby?: boolean;
}

interface StopOptions {
  signal: NodeJS.Signals;
  graceMs: number;
  /** Sent after `graceMs`. */
  forceSignal: NodeJS.Signals;
}

/**
 * A child process in its own process group. Ctrl-C at the terminal reaches only the launcher, which stops its
 * children in order.
 */
export class ManagedProcess {
  /** Resolves when the process has ended, with "code 1", "signal SIGKILL" or the error of its start. Never rejects. */
  readonly exited: Promise<string>;
  private readonly child: ChildProcess;
  private isExited = false;
  /** Bytes in the log file before its start. */
  private readonly logStart: number;

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    private readonly options: ProcessOptions = {},
  ) {
    const log = options.logFile === undefined ? undefined : openLog(options.logFile);
    this.logStart = log === undefined ? 0 : fstatSync(log).size;
    const input = options.inputFile === undefined ? undefined : openSync(options.inputFile, 'r');
    const noInput = options.isOnStandby ? 'pipe' : 'ignore';
    this.child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      detached: true,
      stdio: [input ?? noInput, log ?? 'inherit', log ?? 'inherit'],
      ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
    });
    for (const file of [input, log]) if (file !== undefined) closeSync(file);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
    });
    void this.exited.then(() => (this.isExited = true));
    // A process that has ended cannot read the line; `exited` reports the end.
    this.child.stdin?.on('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get hasExited(): boolean {
    return this.isExited;
  }

  /** Lets a process on standby run its program. */
  release(): void {
    this.child.stdin?.end('\n');
  }

  /** Sends `signal` and waits for the exit; sends `forceSignal` after `graceMs`. Returns at once when it has ended. */
  async stop({ signal, graceMs, forceSignal }: StopOptions): Promise<void> {
    if (this.isExited) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill(forceSignal), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Sends a signal without waiting. */
  kill(signal: NodeJS.Signals): void {
    if (!this.isExited) this.child.kill(signal);
  }

  /** Returns the last lines that it has logged, for an error message. */
  readLogTail(lines = 12): string {
    const { logFile } = this.options;
    if (logFile === undefined || !existsSync(logFile)) return '';
    const text = readFileSync(logFile).subarray(this.logStart).toString('utf8');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  }
}

function openLog(file: string): number {
  if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** Returns a free port of 127.0.0.1: the preferred one if it is free, otherwise one that the system chooses. */
export async function findFreePort(preferred = 0): Promise<number> {
  return (await tryPort(preferred)).port ?? (await tryPort(0)).port ?? 0;
}

/**
 * Returns why no server can listen on this address, for a message; undefined when one can.
 * @param name the setting of the port
 */
export async function whyNotListen(port: number, host: string, name = 'PORT'): Promise<string | undefined> {
  const { code } = await tryPort(port, host);
  if (code === undefined) return undefined;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST ${host} is no address of this machine`;
  if (code === 'EACCES') return `${name} ${port} of ${host} needs root`;
  return `${name} ${port} of ${host} is taken`;
}

/**
 * Returns why a server of another account than root cannot listen on this port, for a message; undefined when it can.
 * @see https://docs.kernel.org/networking/ip-sysctl.html ip_unprivileged_port_start
 */
export function whyNotUnprivileged(port: number, name = 'PORT'): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const first = Number(readText('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1_024);
  return port < first ? `${name} ${port} needs root, and the API does not run as root` : undefined;
}

/** Listens for a moment. Returns the port, or the code of the error. */
function tryPort(port: number, host = '127.0.0.1'): Promise<{ port?: number; code?: string }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => resolve({ code }));
    server.listen(port, host, () => {
      const address = server.address();
      const chosen = address && typeof address === 'object' ? address.port : undefined;
      server.close(() => resolve({ port: chosen }));
    });
  });
}

/** Returns true when a process with this id runs, of any user. A zombie does not run. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || readStat(pid) !== undefined;
}

/** Returns the command line of a running process, separated by blanks; undefined when it does not run. */
export function readCommandLine(pid: number): string | undefined {
  if (process.platform !== 'linux') return queryPs(pid, 'command=');
  return readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim();
}

/**
 * Returns the start time of a process as a text; it differs when the system has reused the id.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html field 22
 */
export function readStartTime(pid: number): string | undefined {
  return process.platform === 'linux' ? readStat(pid)?.[19] : queryPs(pid, 'lstart=');
}

/** Returns the CPU time of a process as a text; it changes while the process starts. */
export function readCpuTime(pid: number): string {
  return (process.platform === 'linux' ? readStat(pid)?.slice(11, 13).join(' ') : queryPs(pid, 'time=')) ?? '';
}

/** Returns the fields of /proc/<pid>/stat from the third (state, parent, …); undefined for an ended process. */
function readStat(pid: number): string[] | undefined {
  const stat = readProc(pid, 'stat');
  // The second field is the program's name in brackets, which may contain blanks.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // In a container whose first process reaps no orphans, they remain zombies.
  return fields?.[0] === 'Z' ? undefined : fields;
}

function readProc(pid: number, file: string): string | undefined {
  return readText(`/proc/${pid}/${file}`);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}

/** Asks ps, for macOS, which has no /proc. Linux reads /proc, because a slim Debian has no ps. */
function queryPs(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stops the orphaned server of a killed launcher; returns false without one. The process of the pid file is stopped
 * only when its command line contains `folder`: after a reboot another process may have the id. Sends `signals` in
 * order and waits `graceMs` after each.
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
    // Another process has the id; PostgreSQL would take it for its own server and refuse to start.
    rmSync(pidFile);
    return false;
  }
  for (const signal of signals) {
    process.kill(pid, signal);
    if (await waitForExit(pid, graceMs)) return true;
  }
  throw new Error(`Process ${pid}, left by an earlier run, does not end`);
}

/** Waits up to `graceMs` for a process that is not a child; returns true when it has ended. */
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
