import {
  Injectable,
  type OnModuleInit,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { currentUnitOfWork } from '../database/current-unit-of-work';
import { Database } from '../database/database';
import { CacheStats } from './cache-stats';
import { rememberSerialized, SharedCacheStore, VALUE_SECONDS } from './shared-cache-store';
import { TenantVersions, type Version, GET_OR_SET, type TenantChange } from './tenant-versions';
import { PRIMARY_IDENTITY } from '../database/failover-detector.service';
import { SystemDatabase } from '../database/system-database';
import { RedisClients, RedisSubscription } from '../redis/redis-clients';

/** Longest age of the last poll while the cache may serve; with the response's way to the client, one second. */
const MAX_AGE_MS = 900;

/** Lifetime of the position; longer than that of values, so that no value exists without a position. */
const POSITION_SECONDS = VALUE_SECONDS + 60;

/** Reads the changes. refreshed_at serves as the version of user_job_stats for all tenants. */
const CHANGES = `
  SELECT c.position, c.changes,
    (SELECT refreshed_at::text FROM app.view_refreshes WHERE view_name = 'user_job_stats') AS refreshed,
    ${PRIMARY_IDENTITY} AS primary
  FROM audit.changes_since($1) c, pg_control_system() s, pg_database d WHERE d.datname = current_database()`;

interface Changes {
  readonly position: Position;
  readonly changes: readonly TenantChange[];
  readonly refreshed: string | null;
  readonly primary: string;
}

/** A position of audit.changes_since(); the snapshot is `xmin:xmax:…`. */
interface Position {
  readonly snapshot: string;
}

/** Returns whether transactions that a position has seen do not exist any more. */
function isBehind(current: Position, seen: Position): boolean {
  const readNext = ({ snapshot }: Position): bigint => BigInt(snapshot.split(':')[1]!);
  return readNext(current) < readNext(seen);
}

/** The position of this process in the changes, valid for one run of Redis and one primary of PostgreSQL. */
interface Cursor {
  readonly space: string;
  readonly primary: string;
  /** Number of times that a primary has lost transactions without another identity. */
  readonly losses: string;
  position: Position;
}

const LOSSES_KEY = 'primary-losses';

/** Counts a loss once, although each process notices it. KEYS: losses. ARGV: the number before. */
const COUNT_LOSS = `
if (redis.call('GET', KEYS[1]) or '0') == ARGV[1] then redis.call('INCR', KEYS[1]) end`;

/**
 * Polls for changed tenants, so that the cache serves nothing older than a second. Each poll reads audit.changes_since
 * as gigvault_monitor, sets new versions for the changed tenants, and only then counts. While the last poll is too old,
 * or Redis is unavailable, the cache serves nothing.
 */
@Injectable()
export class ChangeFeed implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Poll interval of each process; shorter in tests. */
  pollIntervalMs = 300;
  private readonly logger = new Logger(ChangeFeed.name);
  private readonly subscription: RedisSubscription;
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
  ) {
    this.subscription = new RedisSubscription(clients, {
      onMessage: (message) => this.versions.onMessage(message),
      onLost: () => this.reset(),
      impact: 'changes are noticed by the next poll',
    });
  }

  onApplicationBootstrap(): void {
    if (!this.config.cache.isEnabled) return;
    this.isStopped = false;
    this.subscription.open(this.versions.channel);
    void this.pollRepeatedly();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.subscription.close();
    this.reset();
  }

  /** True when every change committed more than a second ago is known here. */
  get isFresh(): boolean {
    return performance.now() - this.lastPolledAtMs < MAX_AGE_MS;
  }

  /** Time (performance.now()) until which all committed changes are known here; -Infinity before the first poll. */
  get lastPolledAtMs(): number {
    return this.lastPolledAt;
  }

  /** The time of the last known refresh of user_job_stats. */
  get statsRefreshedAt(): string {
    return this.refreshedAt;
  }

  /** Stops serving until the next successful poll, which starts from the position in Redis. */
  reset(): void {
    this.cursor = undefined;
    this.lastPolledAt = -Infinity;
    this.versions.setKeySpace(undefined);
  }

  private async pollRepeatedly(): Promise<void> {
    await this.poll().then(
      () => (this.lastError = ''),
      (error: Error) => this.warn(error),
    );
    if (!this.isStopped) this.timer = setTimeout(() => void this.pollRepeatedly(), this.pollIntervalMs).unref();
  }

  private async poll(): Promise<void> {
    const startedAt = performance.now();
    const cursor = (this.cursor ??= await this.openCursor());
    const { position, changes, refreshed, primary } = await this.changesSince(cursor.position);
    if (primary === cursor.primary && isBehind(position, cursor.position))
      await this.clients.commands.eval(COUNT_LOSS, 1, LOSSES_KEY, cursor.losses);
    // Another process may have noticed a loss that this one has not: all must use the same keys.
    const losses = (await this.clients.commands.get(LOSSES_KEY)) ?? '0';
    if (primary !== cursor.primary || losses !== cursor.losses) {
      this.reset();
      throw new Error('PostgreSQL is another primary, or has lost transactions');
    }
    this.stats.bumps += await this.versions.invalidateOnce(changes, cursor.space);
    await this.clients.commands.set(`${cursor.space}:position`, JSON.stringify(position), 'EX', POSITION_SECONDS);
    // Reset meanwhile: this answer lacks the changes since then.
    if (this.cursor !== cursor) return;
    cursor.position = position;
    this.refreshedAt = refreshed ?? '';
    this.lastPolledAt = startedAt;
  }

  /**
   * Opens a cursor at the position in Redis, so that no change since the last poll is missed, or at the current
   * position. Key names contain Redis' run_id: a Redis that restarts with older data, or a promoted replica, serves no
   * old values. They contain the identity of PostgreSQL's primary and the number of other losses too: changes that were
   * lost in a failover are not served.
   */
  private async openCursor(): Promise<Cursor> {
    const { commands, subscriber } = this.clients;
    if (commands.status !== 'ready' || subscriber.status !== 'ready') throw new Error('Redis is unavailable');
    const [, run] = /^run_id:(\w+)/m.exec(await commands.info('server')) ?? [];
    if (run === undefined) throw new Error('Redis reports no run_id');
    // Read before the position in Redis, so that no change lies between the two.
    const { position, primary } = await this.changesSince(null);
    const losses = (await commands.get(LOSSES_KEY)) ?? '0';
    const space = `cache:${run}:${primary}-${losses}`;
    const current = await commands.eval(GET_OR_SET, 1, `${space}:position`, JSON.stringify(position), POSITION_SECONDS);
    if (this.isStopped) throw new Error('stopping');
    this.versions.setKeySpace(space);
    return { space, primary, losses, position: JSON.parse(String(current)) as Position };
  }

  private async changesSince(since: object | null): Promise<Changes> {
    const [answer] = await this.database.asMonitor((unit) =>
      unit.query<Changes & Record<string, unknown>>(CHANGES, [since]),
    );
    return answer!;
  }

  /** Logs an error unless it repeats the last one. */
  private warn({ message }: Error): void {
    if (message !== this.lastError) this.logger.warn(`the cache is bypassed: ${message}`);
    this.lastError = message;
  }
}

/** Total length of the values' JSON, which is kept too. The objects take two to three times that. */
const MAX_MEMORY_LENGTH = 64 * 1024 * 1024;

interface CacheEntry {
  readonly version: Version;
  readonly value: object;
}

/**
 * Caches each tenant's frequent reads, in process memory and in Redis. No served value is older than a second; a tenant
 * sees their own change as soon as its response arrives.
 * @see README.md beside this file
 */
@Injectable()
export class Cache implements OnModuleInit {
  private readonly entries = new LRUCache<string, CacheEntry>({
    maxSize: MAX_MEMORY_LENGTH,
    ttl: VALUE_SECONDS * 1_000,
    ttlResolution: 1_000,
  });

  constructor(
    private readonly database: Database,
    private readonly feed: ChangeFeed,
    private readonly versions: TenantVersions,
    private readonly stored: SharedCacheStore,
    private readonly stats: CacheStats,
    private readonly config: Config,
  ) {}

  /** Subscribes to the changes of this process. */
  onModuleInit(): void {
    if (this.config.cache.isEnabled) this.database.afterChange((userId) => this.changed(userId));
  }

  /**
   * Returns the signed-in tenant's value of this name and id, calling `load` when none is cached. Errors of `load` are
   * rethrown and not cached. All readers share the value; it is frozen. `load` may read only the tenant's rows of
   * audited tables and must return JSON values or Dates, never secrets. Inside an open unit of the request, without
   * Redis, and when the cache is off, it only calls `load`.
   */
  async read<T extends object>(name: string, id: string | number, load: () => Promise<T>): Promise<T> {
    const userId = currentContext()?.principal?.userId;
    // A unit sees its own uncommitted changes.
    if (userId === undefined || currentUnitOfWork() !== undefined || !this.feed.isFresh) return this.bypass(load);
    const version = this.versions.get(userId) ?? (await this.versions.load(userId));
    if (version === undefined) return this.bypass(load);
    const key = `${userId}:${name}:${id}`;
    const entry = this.entries.get(key);
    if (entry?.version === version) {
      this.stats.memory += 1;
      return entry.value as T;
    }
    const storedKey = `${version.prefix}${name}:${id}`;
    const stored = await this.stored.get(storedKey);
    if (stored !== undefined && this.feed.isFresh && this.versions.get(userId) === version) {
      this.stats.redis += 1;
      return this.keep(key, { version, value: stored.value }, stored.text) as T;
    }
    this.stats.database += 1;
    const value = await load();
    // The version was loaded before the rows. If it has changed since, this value is stored under the old one.
    const text = JSON.stringify(value);
    this.stored.put(userId, storedKey, text);
    return this.keep(key, { version, value }, text) as T;
  }

  /**
   * Reads like `read` a value from user_job_stats. It is cached until the view is refreshed or the tenant changes data.
   */
  readStatistics<T extends object>(name: string, load: () => Promise<T>): Promise<T> {
    return this.read(name, this.feed.statsRefreshedAt, load);
  }

  private bypass<T>(load: () => Promise<T>): Promise<T> {
    this.stats.bypassed += 1;
    return load();
  }

  private keep(key: string, entry: CacheEntry, text: string): object {
    deepFreeze(entry.value);
    rememberSerialized(entry.value, text);
    this.entries.set(key, entry, { size: key.length + text.length });
    return entry.value;
  }

  /** Sets a new version for the tenant. When Redis fails, this process serves nothing until the next poll. */
  private async changed(userId: number): Promise<void> {
    try {
      await this.versions.invalidate(userId);
      this.stats.bumps += 1;
    } catch {
      this.feed.reset();
    }
  }
}

function deepFreeze(value: object): void {
  Object.freeze(value);
  for (const part of Object.values(value) as unknown[]) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  }
}
