import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** A worker of a proof as a process of its own, its log gathered across its lives. */
export class WorkerProcess {
  readonly log: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  private child: ChildProcess | undefined;

  /** @param program a file of this folder that calls serveWorker() */
  constructor(
    private readonly program: string,
    private readonly args: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** Starts it, and returns when it is ready. @throws Error with its last words when it ends instead */
  async start(): Promise<void> {
    const args = ['-r', 'ts-node/register/transpile-only', `test/prove/${this.program}`, ...this.args];
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...this.environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    let output = '';
    await new Promise<void>((done, fail) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          const lines = output.split('\n');
          output = lines.pop() ?? '';
          this.log.push(...lines);
          for (const line of lines) for (const listener of this.listeners) listener(line);
          if (lines.includes('ready')) done();
        });
      }
      child.once('exit', () => fail(new Error(`a worker ended:\n${this.log.slice(-20).join('\n')}`)));
    });
  }

  /** Settles when it prints this line the next time; never, when it does not any more. */
  nextLine(expected: string): Promise<void> {
    return new Promise((done) => {
      const listener = (line: string): void => {
        if (line !== expected) return;
        this.listeners.delete(listener);
        done();
      };
      this.listeners.add(listener);
    });
  }

  /** Ends it, unless it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
