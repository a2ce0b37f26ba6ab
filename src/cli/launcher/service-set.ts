import type { SourceReloader } from './source-reloader';
import { type Restartable, type SupervisedServer, Supervisor } from './supervisor';
import type { EmbeddedPostgres } from '../../local-services/embedded-postgres';
import type { EmbeddedRedis } from '../../local-services/embedded-redis';

/** A server exits within 25 seconds after its shutdown delay; after 27 it is killed. */
const DRAIN_TIMEOUT_MS = 27_000;

/** The processes of the launcher and their stop order. */
export class ServiceSet {
  postgres: EmbeddedPostgres | undefined;
  redis: EmbeddedRedis | undefined;
  /** API, worker and the requested fakes. */
  readonly servers: SupervisedServer[] = [];
  /** Restarts API and worker at changes of the sources; the supervisor does not restart them then. */
  reloader: SourceReloader | undefined;
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
   * Restarts every process that exits from now on, except those of the reloader.
   * @param say prints a sentence
   * @param onRestart called after each restart: the process id has changed
   * @returns a promise of the reason when a process is not restarted
   */
  superviseAll(say: (text: string) => void, onRestart: (service: Restartable) => void): Promise<string> {
    const supervisor = new Supervisor(say);
    for (const service of this.listProcesses()) {
      if (this.reloader?.servers.some((server) => server === service)) continue;
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
    await Promise.all([this.supervisor?.stop(), this.reloader?.stop()]);
    await Promise.all(this.servers.map((server) => server.stop(DRAIN_TIMEOUT_MS + this.shutdownDelayMs)));
    await this.redis?.stop();
    await this.postgres?.stop();
  }
}
