import type { ManagedProcess } from '../../local-services/managed-process';
import { type Restartable, Supervisor } from './supervisor';
import type { EmbeddedPostgres } from '../../local-services/embedded-postgres';
import type { EmbeddedRedis } from '../../local-services/embedded-redis';

/** The API, the worker or a fake, across all its restarts. */
export class SupervisedServer implements Restartable {
  private process: ManagedProcess;

  /** @param spawn starts a process of this server */
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

  /** Sends SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<void> {
    return this.process.stop({ signal: 'SIGTERM', graceMs, forceSignal: 'SIGKILL' });
  }

  /** Sends SIGKILL. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  readLogTail(): string {
    return this.process.readLogTail();
  }
}

/** A server exits within 25 seconds after its shutdown delay; after 27 it is killed. */
const DRAIN_TIMEOUT_MS = 27_000;

/** The processes of the launcher and their stop order. */
export class ServiceSet {
  postgres: EmbeddedPostgres | undefined;
  redis: EmbeddedRedis | undefined;
  /** API, worker and the requested fakes. */
  readonly servers: SupervisedServer[] = [];
  /** How long the API stays open after SIGTERM. */
  shutdownDelayMs = 0;
  private supervisor: Supervisor | undefined;
  private stopping: Promise<void> | undefined;

  /** Resolves when the first process exits by itself, with a sentence that names the process and the exit. */
  async waitForFirstExit(): Promise<string> {
    return Promise.race(
      this.listProcesses().map(({ title, exited }) => exited.then((how) => `${title} ended (${how})`)),
    );
  }

  /**
   * Restarts every process that exits from now on.
   * @param say prints a sentence
   * @param onRestart called after each restart: the process id has changed
   * @returns a promise of the reason when a process is not restarted
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
   * Stops API and worker, which finish accepted work, then Redis, then PostgreSQL, which both need until the end.
   * Further calls return the same promise.
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopInOrder();
    return this.stopping;
  }

  /** Kills everything: requests in progress are lost, answered ones are not (PostgreSQL recovers from its log). */
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
