import { ChildProgram } from './child';

/** A worker of a scenario as a child process, with one log across its restarts. */
export class WorkerProcess {
  private readonly processes: ChildProgram[] = [];

  /** @param program a file of this folder that calls serveWorker() */
  constructor(
    private readonly program: string,
    private readonly args: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  get log(): string[] {
    return this.processes.flatMap(({ lines }) => lines);
  }

  /** Starts it, and returns when it is ready. @throws Error with the end of its log when it ends instead */
  async start(): Promise<void> {
    const child = new ChildProgram([`test/stress/${this.program}`, ...this.args], this.environment);
    this.processes.push(child);
    await child.waitForLine('ready');
  }

  /** Settles when it next prints a line with this beginning. @throws Error when it ends before */
  async waitForNextLine(start: string): Promise<void> {
    await this.processes.at(-1)!.waitForNextLine(start);
  }

  writeLine(line: string): void {
    this.processes.at(-1)!.writeLine(line);
  }

  /** Ends it if it still runs. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.processes.at(-1)?.end(signal);
  }
}
