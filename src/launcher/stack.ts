import type { EmbeddedPostgres } from './embedded-postgres';
import type { EmbeddedRedis } from './embedded-redis';
import type { ManagedProcess } from './managed-process';

/** What is being served when asked to stop may take this long; then it is cut off. */
const DRAIN_MS = 25_000;

/** Are the processes the launcher has started, and the order in which they end. */
export class Stack {
  postgres: EmbeddedPostgres | undefined;
  redis: EmbeddedRedis | undefined;
  /** API, worker and, where it was wished for, the fake Upwork. */
  readonly servers: ManagedProcess[] = [];
  private stopping: Promise<void> | undefined;

  /** Settles when the first of the processes has ended by itself, with a sentence that says which and how. */
  async firstEnd(): Promise<string> {
    return Promise.race([
      ...this.servers.map((server) => server.ended.then((how) => sentence(server.name, how))),
      ...(this.postgres ? [this.postgres.ended.then((how) => sentence('PostgreSQL', how))] : []),
      ...(this.redis ? [this.redis.ended.then((how) => sentence('Redis', how))] : []),
    ]);
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
    for (const server of this.servers) server.kill('SIGKILL');
    this.redis?.kill();
    this.postgres?.kill();
  }

  private async stopInOrder(): Promise<void> {
    await Promise.all(
      this.servers.map((server) => server.stop({ signal: 'SIGTERM', graceMs: DRAIN_MS, force: 'SIGKILL' })),
    );
    await this.redis?.stop();
    await this.postgres?.stop();
  }
}

function sentence(name: string, how: string): string {
  return `${name} ended (${how})`;
}
