import { ChildProgram } from './child';

/** A worker of a proof as a process of its own, its log gathered across its lives. */
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

  /** Starts it, and returns when it is ready. @throws Error with its last words when it ends instead */
  async start(): Promise<void> {
    const child = new ChildProgram([`test/stress/${this.program}`, ...this.args], this.environment);
    this.processes.push(child);
    await child.waitForLine('ready');
  }

  /** Settles when it prints a line that begins so the next time. @throws Error when it ends before */
  async waitForNextLine(start: string): Promise<void> {
    await this.processes.at(-1)!.waitForNextLine(start);
  }

  /** Ends it, unless it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.processes.at(-1)?.end(signal);
  }
}
