import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../config/config';
import { SystemDatabase } from '../database/system-database';
import { RedisClients } from '../redis/redis-clients';
import { GET_OR_SET, type TenantChange, TenantVersions } from './tenant-versions';
import { CacheStats } from './cache-stats';
import { VALUE_SECONDS } from './shared-cache-store';

/** How often each process asks for changes. */
const POLL_INTERVAL_MS = 300;

/** Longest time since the last answer in which the cache may serve: with the answer's own way, a second. */
const MAX_AGE_MS = 900;

/** A position outlives every value that was kept since it was written, so none is ever met without one. */
const POSITION_SECONDS = VALUE_SECONDS + 60;

/**
 * refreshed_at is as good as a version of user_job_stats, and the same for all tenants. A replica that is promoted begins a
 * new timeline and may lack changes that were committed; its transaction ids are given out a second time.
 * @see https://www.postgresql.org/docs/15/continuous-archiving.html#BACKUP-TIMELINES
 */
const CHANGES = `
  SELECT c.position, c.changes, (SELECT refreshed_at::text FROM app.view_refreshes WHERE view_name = 'user_job_stats') AS refreshed,
    concat_ws('-', s.system_identifier, d.oid,
      CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END) AS timeline
  FROM audit.changes_since($1) c, pg_control_system() s, pg_database d WHERE d.datname = current_database()`;

interface Changes {
  readonly position: object;
  readonly changes: readonly TenantChange[];
  readonly refreshed: string | null;
  /** The cluster, the database and its timeline. */
  readonly timeline: string;
}

/** One run of Redis beside one timeline of PostgreSQL, and how far this process has followed the changes. */
interface Cursor {
  readonly space: string;
  readonly timeline: string;
  position: object;
}

/**
 * Follows the changes of tenants' rows, whatever path they take, so that the cache serves nothing older than a second: it
 * asks PostgreSQL (as gigvault_monitor, audit.changes_since) who changed, gives those tenants new versions, and only then
 * counts the answer. While the last one is too old, or Redis is away, the cache serves nothing.
 */
@Injectable()
export class ChangeFeed implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ChangeFeed.name);
  private cursor: Cursor | undefined;
  private lastPolledAt = -Infinity;
  private refreshedAt = '';
  private timer: NodeJS.Timeout | undefined;
  private isStopped = true;
  private lastError = '';

  constructor(
    private readonly database: SystemDatabase,
    private readonly clients: RedisClients,
    private readonly versions: TenantVersions,
    private readonly stats: CacheStats,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.cache.isEnabled) return;
    this.isStopped = false;
    const { commands, subscriber } = this.clients;
    subscriber.on('message', this.onMessage);
    // Messages were missed, and a Redis that comes back may have forgotten its latest writes.
    for (const client of [commands, subscriber]) client.on('close', this.reset);
    subscriber.subscribe(this.versions.channel).catch((error: Error) => this.warn(error));
    void this.pollRepeatedly();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    const { commands, subscriber } = this.clients;
    subscriber.off('message', this.onMessage);
    for (const client of [commands, subscriber]) client.off('close', this.reset);
    this.reset();
  }

  /** Whether every change that was committed more than a second ago is known here. */
  get isFresh(): boolean {
    return performance.now() - this.lastPolledAtMs < MAX_AGE_MS;
  }

  /** The time, by performance.now(), up to which every committed change is known here; -Infinity when none is. */
  get lastPolledAtMs(): number {
    return this.lastPolledAt;
  }

  /** When user_job_stats was refreshed, as known here. */
  get statsRefreshedAt(): string {
    return this.refreshedAt;
  }

  /** Lets the cache serve nothing until changes have been asked for anew, from where the position in Redis stands. */
  readonly reset = (): void => {
    this.cursor = undefined;
    this.lastPolledAt = -Infinity;
    this.versions.setKeySpace(undefined);
  };

  private async pollRepeatedly(): Promise<void> {
    await this.poll().then(
      () => (this.lastError = ''),
      (error: Error) => this.warn(error),
    );
    if (!this.isStopped) this.timer = setTimeout(() => void this.pollRepeatedly(), POLL_INTERVAL_MS).unref();
  }

  private async poll(): Promise<void> {
    const askedAt = performance.now();
    const line = (this.cursor ??= await this.openCursor());
    const { position, changes, refreshed, timeline } = await this.changesSince(line.position);
    if (timeline !== line.timeline) {
      this.reset();
      throw new Error('PostgreSQL has another timeline');
    }
    this.stats.bumps += await this.versions.invalidateOnce(changes, line.space);
    await this.clients.commands.set(`${line.space}:position`, JSON.stringify(position), 'EX', POSITION_SECONDS);
    // Begun anew meanwhile: what was heard since then is not in this answer.
    if (this.cursor !== line) return;
    line.position = position;
    this.refreshedAt = refreshed ?? '';
    this.lastPolledAt = askedAt;
  }

  /**
   * Finds where to go on: at the position in Redis, so that nothing that happened since the values there were last looked
   * after is missed, else here. The names of the keys hold Redis' own run: one that restarts with an older memory, or a
   * replica that takes over, revives nothing. They hold PostgreSQL's timeline too: what a failover lost is not served.
   */
  private async openCursor(): Promise<Cursor> {
    const { commands, subscriber } = this.clients;
    if (commands.status !== 'ready' || subscriber.status !== 'ready') throw new Error('Redis is away');
    const [, run] = /^run_id:(\w+)/m.exec(await commands.info('server')) ?? [];
    if (run === undefined) throw new Error('Redis does not tell its run_id');
    // Taken before Redis is asked, so that no change lies between the two.
    const { position, timeline } = await this.changesSince(null);
    const space = `cache:${run}:${timeline}`;
    const stands = await commands.eval(GET_OR_SET, 1, `${space}:position`, JSON.stringify(position), POSITION_SECONDS);
    if (this.isStopped) throw new Error('stopping');
    this.versions.setKeySpace(space);
    return { space, timeline, position: JSON.parse(String(stands)) as object };
  }

  private async changesSince(since: object | null): Promise<Changes> {
    const [answer] = await this.database.asMonitor((unit) =>
      unit.query<Changes & Record<string, unknown>>(CHANGES, [since]),
    );
    return answer!;
  }

  private readonly onMessage = (channel: string, message: string): void => {
    if (channel === this.versions.channel) this.versions.onMessage(message);
  };

  /** Every attempt fails alike while something is away; one line is enough. */
  private warn({ message }: Error): void {
    if (message !== this.lastError) this.logger.warn(`the cache stands aside: ${message}`);
    this.lastError = message;
  }
}
