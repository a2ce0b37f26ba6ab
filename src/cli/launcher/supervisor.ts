import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedProcess } from '../../local-services/managed-process';

/** A process that can be restarted. */
export interface Restartable {
  /** Its name at the beginning of a sentence: "The API". */
  readonly title: string;
  /** Resolves when the current process has ended, with a readable text. */
  readonly exited: Promise<string>;
  /** Restarts it. @throws Error when it does not start */
  start(): Promise<void>;
  /** Returns the last lines of its log. */
  readLogTail(): string;
}

/** Limits and pauses of restarts. */
export interface RestartPolicy {
  /** Doubled with each exit within the window. */
  readonly initialDelayMs: number;
  readonly maxRestarts: number;
  readonly windowMs: number;
}

const POLICY: RestartPolicy = { initialDelayMs: 1_000, maxRestarts: 5, windowMs: 10 * 60_000 };

/**
 * Restarts processes that exit by themselves: after 1, 2, 4, 8 and 16 seconds, at most five times within ten minutes.
 * Then it gives up, and the launcher stops everything.
 */
export class Supervisor {
  /** Resolves with the reason when a process is not restarted. */
  readonly failed: Promise<string>;
  private fail: (reason: string) => void = () => undefined;
  private readonly stopping = new AbortController();
  private readonly stopped = new Promise<void>((resolve) => {
    this.stopping.signal.addEventListener('abort', () => resolve());
  });
  private readonly loops: Promise<void>[] = [];

  /** @param print prints a sentence at the terminal */
  constructor(
    private readonly print: (text: string) => void,
    private readonly policy: RestartPolicy = POLICY,
  ) {
    this.failed = new Promise((resolve) => (this.fail = resolve));
  }

  /** Restarts this process at each exit, until `stop`. */
  supervise(service: Restartable): void {
    this.loops.push(this.keepRunning(service));
  }

  /** Stops restarting and waits for a start in progress. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  private async keepRunning(service: Restartable): Promise<void> {
    const { initialDelayMs, maxRestarts, windowMs } = this.policy;
    let endedAt: number[] = [];
    let how = await this.waitForExit(service);
    while (how !== undefined) {
      endedAt = [...endedAt.filter((at) => Date.now() - at < windowMs), Date.now()];
      if (endedAt.length > maxRestarts) return this.fail(this.describeFailure(service, how, endedAt.length));
      const pauseMs = initialDelayMs * 2 ** (endedAt.length - 1);
      this.print(`${service.title} ended (${how}). It is started again in ${pauseMs / 1_000} s.`);
      how = (await this.pause(pauseMs)) ? await this.restart(service) : undefined;
    }
  }

  /** Starts the process and returns how it ended, at the start or later; undefined once the supervisor is stopped. */
  private async restart(service: Restartable): Promise<string | undefined> {
    try {
      await service.start();
    } catch (error) {
      return this.stopping.signal.aborted ? undefined : `it did not start: ${(error as Error).message}`;
    }
    return this.waitForExit(service);
  }

  private async waitForExit({ exited }: Restartable): Promise<string | undefined> {
    const how = await Promise.race([exited, this.stopped]);
    return this.stopping.signal.aborted ? undefined : (how ?? undefined);
  }

  /** Returns true after the pause, false when the supervisor is stopped before. */
  private async pause(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.stopping.signal }).catch(() => false);
  }

  private describeFailure(service: Restartable, how: string, times: number): string {
    const minutes = Math.round(this.policy.windowMs / 60_000);
    return [
      `${service.title} ended (${how}), ${times} times within ${minutes} minutes. It is not started again.`,
      'The last lines of its log:',
      service.readLogTail(),
    ].join('\n');
  }
}

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
