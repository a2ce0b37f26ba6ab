import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import type { ServiceUser } from './service-user';

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  user?: ServiceUser;
  /** File its output is appended to; without one it writes to our terminal. */
  logFile?: string;
  /** File it reads as its standard input. */
  inputFile?: string;
}

interface Stop {
  signal: NodeJS.Signals;
  graceMs: number;
  /** Sent when the grace is over. */
  force: NodeJS.Signals;
}

/**
 * Is a child process in a process group of its own: Ctrl-C at the terminal reaches the launcher only, which then
 * stops its children in the right order.
 */
export class ManagedProcess {
  /** Settles when the process has ended, with a text for people: "code 1" or "signal SIGKILL". Never rejects. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private isOver = false;

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
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
    });
    void this.ended.then(() => (this.isOver = true));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get hasEnded(): boolean {
    return this.isOver;
  }

  /** Asks the process to end and waits; when the grace is over it is forced. Returns at once when it has ended. */
  async stop({ signal, graceMs, force }: Stop): Promise<void> {
    if (this.isOver) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill(force), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends the process without asking. */
  kill(signal: NodeJS.Signals): void {
    if (!this.isOver) this.child.kill(signal);
  }

  /** Returns the last lines of its log file, for an error message. */
  lastWords(lines = 12): string {
    const { logFile } = this.options;
    if (logFile === undefined || !existsSync(logFile)) return '';
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

function openLog(file: string): number {
  if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}
