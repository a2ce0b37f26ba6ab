import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { currentUnitOfWork } from '../database/current-unit-of-work';
import { Database } from '../database/database';
import { CacheStats } from './cache-stats';
import { ChangeFeed } from './change-feed';
import { rememberSerialized, SharedCacheStore, VALUE_SECONDS } from './shared-cache-store';
import { TenantVersions, type Version } from './tenant-versions';

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
    this.stored.put(storedKey, text);
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
