import { Child } from './child';

/** A worker of a proof as a process of its own, its log gathered across its lives. */
export class WorkerProcess {
  private readonly lives: Child[] = [];

  /** @param program a file of this folder that calls serveWorker() */
  constructor(
    private readonly program: string,
    private readonly args: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  get log(): string[] {
    return this.lives.flatMap(({ lines }) => lines);
  }

  /** Starts it, and returns when it is ready. @throws Error with its last words when it ends instead */
  async start(): Promise<void> {
    const child = new Child([`test/prove/${this.program}`, ...this.args], this.environment);
    this.lives.push(child);
    await child.line('ready');
  }

  /** Settles when it prints a line that begins so the next time. @throws Error when it ends before */
  async nextLine(start: string): Promise<void> {
    await this.lives.at(-1)!.nextLine(start);
  }

  /** Ends it, unless it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.lives.at(-1)?.end(signal);
  }
}
