import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { currentUnitOfWork } from '../database/current-unit-of-work';
import { Database } from '../database/database';
import { CacheStats } from './cache-stats';
import { ChangeFeed } from './change-feed';
import { rememberSerialized } from './serialized-json';
import { SharedCacheStore, VALUE_SECONDS } from './shared-cache-store';
import { TenantVersions, type Version } from './tenant-versions';

/** Length of the values' JSON, which is held too; as objects they take two to three times that. */
const MAX_MEMORY_LENGTH = 64 * 1024 * 1024;

interface CacheEntry {
  readonly version: Version;
  readonly value: object;
}

/**
 * Keeps what a tenant reads often and changes seldom, for him alone, in this process' memory and in Redis. Nothing served
 * from it is older than a second, and whoever changed something sees it from the moment his change is answered.
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

  /** Begins to hear of the changes this process makes. */
  onModuleInit(): void {
    if (this.config.cache.isEnabled) this.database.afterChange((userId) => this.changed(userId));
  }

  /**
   * Returns the signed-in tenant's value of that name and id, by `load` when none is kept; what `load` throws is thrown and
   * not kept. The value is shared by all who read it, and frozen. `load` may read only what is the tenant's own, in tables
   * whose changes are audited, and must return what JSON can hold, Dates included; secrets are never kept. Inside an open
   * unit of the request, while Redis is away, and when the cache is off, it is `load` and nothing else.
   */
  async read<T extends object>(name: string, id: string | number, load: () => Promise<T>): Promise<T> {
    const userId = currentContext()?.principal?.userId;
    // A unit sees changes of its own that are not committed, and may never be.
    if (userId === undefined || currentUnitOfWork() !== undefined || !this.feed.isFresh) return this.bypass(load);
    const version = this.versions.get(userId) ?? (await this.versions.load(userId));
    if (version === undefined) return this.bypass(load);
    const key = `${userId}:${name}:${id}`;
    const held = this.entries.get(key);
    if (held?.version === version) {
      this.stats.memory += 1;
      return held.value as T;
    }
    const storedKey = `${version.prefix}${name}:${id}`;
    const stored = await this.stored.get(storedKey);
    if (stored !== undefined && this.feed.isFresh && this.versions.get(userId) === version) {
      this.stats.redis += 1;
      return this.keep(key, { version, value: stored.value }, stored.text) as T;
    }
    this.stats.database += 1;
    const value = await load();
    // The version was read before the database was: should it have changed since, this is kept under a dead one.
    const text = JSON.stringify(value);
    this.stored.put(storedKey, text);
    return this.keep(key, { version, value }, text) as T;
  }

  /** As `read`, for what follows from user_job_stats: kept until the view is refreshed, or the tenant changes something. */
  readStatistics<T extends object>(name: string, load: () => Promise<T>): Promise<T> {
    return this.read(name, this.feed.statsRefreshedAt, load);
  }

  private bypass<T>(load: () => Promise<T>): Promise<T> {
    this.stats.bypassed += 1;
    return load();
  }

  private keep(key: string, held: CacheEntry, text: string): object {
    deepFreeze(held.value);
    rememberSerialized(held.value, text);
    this.entries.set(key, held, { size: key.length + text.length });
    return held.value;
  }

  /**
   * A unit of this process has changed something of the tenant's. When the other processes cannot be told, this one serves
   * nothing until the feed has told them.
   */
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
