import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(__dirname, '..', '..');

/** A child process of a scenario that reads commands and prints results, line by line. */
export class ChildProgram {
  /** Its output so far. */
  readonly lines: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  private readonly child: ChildProcess;

  /** Starts Node with these arguments in the root of the repository; .ts files need no build. */
  constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    const preload = args[0]?.endsWith('.ts') ? ['-r', 'ts-node/register/transpile-only'] : [];
    this.child = spawn(process.execPath, [...preload, ...args], {
      cwd: ROOT,
      env: { ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const listener of this.listeners) listener(line);
      });
    }
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Returns the rest of the first line, past or future, that begins with `start`. @throws Error when it ends before */
  async waitForLine(start: string): Promise<string> {
    const found = this.lines.find((line) => line.startsWith(start));
    return found === undefined ? this.waitForNextLine(start) : found.slice(start.length);
  }

  /** Like `line`, but ignores past lines. */
  waitForNextLine(start: string): Promise<string> {
    return new Promise((done, fail) => {
      const listener = (line: string): void => {
        if (line.startsWith(start)) done(line.slice(start.length));
      };
      this.listeners.add(listener);
      this.child.once('exit', () =>
        fail(new Error(`a process of the scenario ended:\n${this.lines.slice(-20).join('\n')}`)),
      );
    });
  }

  writeLine(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.hasExited) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}
