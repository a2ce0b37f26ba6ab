import type { ManagedProcess } from '../../local-services/managed-process';
import type { Restartable } from './supervisor';

interface ServerOptions {
  /** Starts a process of this server. */
  readonly spawn: () => ManagedProcess;
  /** Called with the id of each process that runs the server. */
  readonly onStart: (pid: number) => void;
}

/** The API, the worker or a fake, across all its restarts. */
export class SupervisedServer implements Restartable {
  private process!: ManagedProcess;
  private next: ManagedProcess | undefined;

  constructor(
    readonly name: string,
    readonly title: string,
    private readonly options: ServerOptions,
  ) {
    this.run();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get hasExited(): boolean {
    return this.process.hasExited;
  }

  get exited(): Promise<string> {
    return this.process.exited;
  }

  start(): Promise<void> {
    this.run();
    return Promise.resolve();
  }

  /** Starts the process of the next start in advance. It must be on standby. */
  prepare(): void {
    if (!this.next || this.next.hasExited) this.next = this.options.spawn();
  }

  /** Ends the process on standby. */
  discardNext(): void {
    this.next?.kill('SIGKILL');
    this.next = undefined;
  }

  /** Sends SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<void> {
    return this.process.stop({ signal: 'SIGTERM', graceMs, forceSignal: 'SIGKILL' });
  }

  /** Sends SIGKILL. */
  kill(): void {
    this.discardNext();
    this.process.kill('SIGKILL');
  }

  readLogTail(): string {
    return this.process.readLogTail();
  }

  private run(): void {
    this.prepare();
    this.process = this.next!;
    this.next = undefined;
    this.process.release();
    if (this.process.pid !== undefined) this.options.onStart(this.process.pid);
  }
}
