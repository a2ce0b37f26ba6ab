import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { RedisClients } from '../redis/redis-clients';
import { RedisSubscription } from '../redis/redis-subscription';
import type { DataKey } from './data-keys';

/** Channel of users whose data key was destroyed, for the caches of all processes. */
const DESTROYED_CHANNEL = 'data-keys-destroyed';

/** Lifetime of an entry while this process is notified of destroyed keys. */
const LIFETIME_MS = 60_000;

/** Lifetime without notifications: a destroyed key must expire within a second. */
const UNSUBSCRIBED_LIFETIME_MS = 900;

/** Limit of entries; more than the users active in one minute. */
const MAX_ENTRIES = 10_000;

interface Entry {
  readonly dataKey: DataKey;
  readonly since: number;
}

/** The unwrapped data keys of this process. Redis notifies it of keys destroyed in other processes. */
@Injectable()
export class DataKeyCache implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(DataKeyCache.name);
  private readonly entries = new LRUCache<string, Entry>({
    max: MAX_ENTRIES,
    dispose: ({ dataKey: { keyId, userId } }) => {
      if (this.current.get(userId) === keyId) this.current.delete(userId);
    },
  });
  private readonly current = new Map<number | null, string>();
  /** Number of removals, so that a key read before its destruction is not cached after it. */
  private removals = 0;
  private readonly subscription: RedisSubscription;

  constructor(private readonly clients: RedisClients) {
    this.subscription = new RedisSubscription(clients, {
      onMessage: (userId) => this.removeLocally(Number(userId)),
      onLost: () => this.clear(),
      impact: 'destroyed data keys expire within a second',
    });
  }

  /** Subscribes to destroyed keys. */
  onModuleInit(): void {
    this.subscription.open(DESTROYED_CHANNEL);
  }

  onApplicationShutdown(): void {
    this.subscription.close();
    this.clear();
  }

  /** Returns the cached key with this id. */
  byId(keyId: string): DataKey | undefined {
    const entry = this.entries.get(keyId);
    if (!entry) return undefined;
    const lifetimeMs = this.subscription.isActiveSince(entry.since) ? LIFETIME_MS : UNSUBSCRIBED_LIFETIME_MS;
    if (Date.now() - entry.since < lifetimeMs) return entry.dataKey;
    this.entries.delete(keyId);
    return undefined;
  }

  /** Returns the cached key of this user. */
  ofUser(userId: number | null): DataKey | undefined {
    return this.byId(this.current.get(userId) ?? '');
  }

  /** Returns and caches the key from `load`; does not cache it when any key was destroyed meanwhile. */
  async set(load: () => Promise<DataKey>): Promise<DataKey> {
    const { removals } = this;
    const since = Date.now();
    const dataKey = await load();
    if (removals !== this.removals) return dataKey;
    this.entries.set(dataKey.keyId, { dataKey, since });
    this.current.set(dataKey.userId, dataKey.keyId);
    return dataKey;
  }

  /** Removes a user's key here and in all processes; without Redis their entries expire within a second. */
  async remove(userId: number): Promise<void> {
    this.removeLocally(userId);
    await this.clients.commands.publish(DESTROYED_CHANNEL, String(userId)).catch((error: Error) => {
      this.logger.warn(`other processes were not notified of a destroyed data key: ${error.message}`);
    });
  }

  private removeLocally(userId: number): void {
    this.removals += 1;
    this.entries.delete(this.current.get(userId) ?? '');
  }

  /** Clears the cache: messages published while the connection is lost never arrive. */
  private clear(): void {
    this.removals += 1;
    this.entries.clear();
    this.current.clear();
  }
}
