import { type LiveSession } from './session-record';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { RedisClients } from '../../platform/redis/redis-clients';
import { RedisSubscription } from '../../platform/redis/redis-subscription';

/** Longest life of a cached session. Bounds the delay of an ended session when a pub/sub message is lost. */
const MAX_AGE_MS = 900;
const MAX_ENTRIES = 20_000;

interface CacheEntry {
  readonly loadedAt: number;
  readonly session: Promise<LiveSession | null>;
}

/** Caches sessions in this process for under a second. Parallel reads of one session share one load. */
export class LocalSessionCache {
  private readonly entries = new Map<string, CacheEntry>();

  constructor(private readonly now = (): number => Date.now()) {}

  /** Returns the cached session, or loads it; a failed load is not cached. */
  get(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    const cached = this.entries.get(sessionId);
    if (cached && this.now() - cached.loadedAt < MAX_AGE_MS) return cached.session;
    this.entries.delete(sessionId);
    if (this.entries.size >= MAX_ENTRIES) this.evictOldest();
    const entry = { loadedAt: this.now(), session: load() };
    this.entries.set(sessionId, entry);
    entry.session.catch(() => {
      if (this.entries.get(sessionId) === entry) this.entries.delete(sessionId);
    });
    return entry.session;
  }

  /** Removes a session. */
  delete(sessionId: string): void {
    this.entries.delete(sessionId);
  }

  /** Removes all sessions. */
  clear(): void {
    this.entries.clear();
  }

  /** A Map keeps the order of insertion, so the first key is the oldest. */
  private evictOldest(): void {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}

/** Channel with the ids of sessions that ended or changed. */
const CHANGED_CHANNEL = 'sessions-changed';

/** The session cache of this process, invalidated by pub/sub. */
@Injectable()
export class SessionCacheService implements OnModuleInit, OnApplicationShutdown {
  private readonly cache = new LocalSessionCache();
  /** Sessions this process has verified in PostgreSQL since it last lost Redis. */
  private readonly verifiedIds = new Set<string>();

  private readonly subscription: RedisSubscription;

  constructor(clients: RedisClients) {
    this.subscription = new RedisSubscription(clients, {
      onMessage: (sessionId) => this.invalidate(sessionId),
      onLost: () => this.clear(),
      impact: 'ended sessions are noticed within a second',
    });
  }

  /** Subscribes to changed sessions. */
  onModuleInit(): void {
    this.subscription.open(CHANGED_CHANNEL);
  }

  onApplicationShutdown(): void {
    this.subscription.close();
  }

  /** Returns the cached session, or loads it. */
  get(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    return this.cache.get(sessionId, load);
  }

  /** Returns whether this process has verified the session in PostgreSQL. */
  isVerified(sessionId: string): boolean {
    return this.verifiedIds.has(sessionId);
  }

  /** Marks a session as verified in PostgreSQL. */
  markVerified(sessionId: string): void {
    this.verifiedIds.add(sessionId);
  }

  /** Removes a session from the cache of this process. */
  invalidate(sessionId: string): void {
    this.cache.delete(sessionId);
    this.verifiedIds.delete(sessionId);
  }

  /** Adds a message to a Redis transaction that makes all processes drop the session. */
  publishChange(multi: ChainableCommander, sessionId: string): void {
    multi.publish(CHANGED_CHANNEL, sessionId);
  }

  private clear(): void {
    this.cache.clear();
    this.verifiedIds.clear();
  }
}
