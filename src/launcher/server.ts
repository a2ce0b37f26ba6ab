import type { ManagedProcess } from './managed-process';
import type { Restartable } from './supervisor';

/** One of our own servers (the API, the worker, the fake Upwork), over all processes it has had. */
export class Server implements Restartable {
  private process: ManagedProcess;

  /** @param run starts a process of it */
  constructor(
    readonly name: string,
    readonly title: string,
    private readonly run: () => ManagedProcess,
  ) {
    this.process = run();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get hasEnded(): boolean {
    return this.process.hasEnded;
  }

  get ended(): Promise<string> {
    return this.process.ended;
  }

  start(): Promise<void> {
    this.process = this.run();
    return Promise.resolve();
  }

  /** Asks the process to end, and forces it after `graceMs`. */
  stop(graceMs: number): Promise<void> {
    return this.process.stop({ signal: 'SIGTERM', graceMs, force: 'SIGKILL' });
  }

  /** Ends the process without asking. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  lastWords(): string {
    return this.process.lastWords();
  }
}
