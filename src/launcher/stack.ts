import type { EmbeddedPostgres } from './embedded-postgres';
import type { EmbeddedRedis } from './embedded-redis';
import type { Server } from './server';
import { Supervisor, type Restartable } from './supervisor';

/** A server ends by itself within 25 seconds after its shutdown delay; then it is cut off. */
const DRAIN_MS = 27_000;

/** The processes the launcher has started, and the order in which they end. */
export class Stack {
  postgres: EmbeddedPostgres | undefined;
  redis: EmbeddedRedis | undefined;
  /** API, worker and, where it was asked for, the fake Upwork. */
  readonly servers: Server[] = [];
  /** How long the API stays open after it was asked to end. */
  shutdownDelayMs = 0;
  private supervisor: Supervisor | undefined;
  private stopping: Promise<void> | undefined;

  /** Settles when the first of the processes has ended by itself, with a sentence that says which and how. */
  async firstEnd(): Promise<string> {
    return Promise.race(this.all().map(({ title, ended }) => ended.then((how) => `${title} ended (${how})`)));
  }

  /**
   * Starts again what ends from now on.
   * @param say prints a sentence
   * @param onRestart is called after each start, for what depends on process ids
   * @returns a promise of the reason when a process is not started again
   */
  supervise(say: (text: string) => void, onRestart: (service: Restartable) => void): Promise<string> {
    const supervisor = new Supervisor(say);
    for (const service of this.all()) {
      supervisor.watch({
        title: service.title,
        get ended() {
          return service.ended;
        },
        start: async () => {
          await service.start();
          onRestart(service);
        },
        lastWords: () => service.lastWords(),
      });
    }
    this.supervisor = supervisor;
    return supervisor.gaveUp;
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
  hasten(): void {
    for (const server of this.servers) server.kill();
    this.redis?.kill();
    this.postgres?.kill();
  }

  private all(): Restartable[] {
    return [...this.servers, this.postgres, this.redis].filter((service) => service !== undefined);
  }

  private async stopInOrder(): Promise<void> {
    await this.supervisor?.stop();
    await Promise.all(this.servers.map((server) => server.stop(DRAIN_MS + this.shutdownDelayMs)));
    await this.redis?.stop();
    await this.postgres?.stop();
  }
}
