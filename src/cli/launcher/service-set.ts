import type { ManagedProcess } from '../../local-services/managed-process';
import { type Restartable, Supervisor } from './supervisor';
import type { EmbeddedPostgres } from '../../local-services/embedded-postgres';
import type { EmbeddedRedis } from '../../local-services/embedded-redis';

/** One of our own servers (the API, the worker, the fake Upwork), over all processes it has had. */
export class SupervisedServer implements Restartable {
  private process: ManagedProcess;

  /** @param spawn starts a process of it */
  constructor(
    readonly name: string,
    readonly title: string,
    private readonly spawn: () => ManagedProcess,
  ) {
    this.process = spawn();
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
    this.process = this.spawn();
    return Promise.resolve();
  }

  /** Asks the process to end, and forces it after `graceMs`. */
  stop(graceMs: number): Promise<void> {
    return this.process.stop({ signal: 'SIGTERM', graceMs, forceSignal: 'SIGKILL' });
  }

  /** Ends the process without asking. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  readLogTail(): string {
    return this.process.readLogTail();
  }
}

/** A server ends by itself within 25 seconds after its shutdown delay; then it is cut off. */
const DRAIN_TIMEOUT_MS = 27_000;

/** The processes the launcher has started, and the order in which they end. */
export class ServiceSet {
  postgres: EmbeddedPostgres | undefined;
  redis: EmbeddedRedis | undefined;
  /** API, worker and, where it was asked for, the fake Upwork. */
  readonly servers: SupervisedServer[] = [];
  /** How long the API stays open after it was asked to end. */
  shutdownDelayMs = 0;
  private supervisor: Supervisor | undefined;
  private stopping: Promise<void> | undefined;

  /** Settles when the first of the processes has ended by itself, with a sentence that says which and how. */
  async waitForFirstExit(): Promise<string> {
    return Promise.race(
      this.listProcesses().map(({ title, exited: ended }) => ended.then((how) => `${title} ended (${how})`)),
    );
  }

  /**
   * Starts again what ends from now on.
   * @param say prints a sentence
   * @param onRestart is called after each start, for what depends on process ids
   * @returns a promise of the reason when a process is not started again
   */
  superviseAll(say: (text: string) => void, onRestart: (service: Restartable) => void): Promise<string> {
    const supervisor = new Supervisor(say);
    for (const service of this.listProcesses()) {
      supervisor.supervise({
        title: service.title,
        get exited() {
          return service.exited;
        },
        start: async () => {
          await service.start();
          onRestart(service);
        },
        readLogTail: () => service.readLogTail(),
      });
    }
    this.supervisor = supervisor;
    return supervisor.failed;
  }

  /**
   * Ends everything: API and worker finish what they accepted, then Redis, then PostgreSQL, which they need until
   * their end. Asked again it is the same stop.
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopInOrder();
    return this.stopping;
  }

  /** Cuts a stop short: what is being served is lost, what was answered is not (PostgreSQL recovers from its log). */
  forceStop(): void {
    for (const server of this.servers) server.kill();
    this.redis?.kill();
    this.postgres?.kill();
  }

  private listProcesses(): Restartable[] {
    return [...this.servers, this.postgres, this.redis].filter((service) => service !== undefined);
  }

  private async stopInOrder(): Promise<void> {
    await this.supervisor?.stop();
    await Promise.all(this.servers.map((server) => server.stop(DRAIN_TIMEOUT_MS + this.shutdownDelayMs)));
    await this.redis?.stop();
    await this.postgres?.stop();
  }
}
