import { type LiveSession } from './session-record';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RedisClients, RedisSubscription } from '../../platform/redis/redis-clients';

/** Longest life of a cached session. Bounds the delay of an ended session when a pub/sub message is lost. */
const MAX_AGE_MS = 900;
const MAX_ENTRIES = 20_000;

/** Caches sessions in this process for under a second. Parallel reads of one session share one load. */
export class LocalSessionCache {
  private readonly sessions = new LRUCache<string, Promise<LiveSession | null>>({
    max: MAX_ENTRIES,
    // An entry is stale above its ttl, not at it.
    ttl: MAX_AGE_MS - 1,
    ttlResolution: 0,
    perf: { now: () => Date.now() },
  });

  /** Returns the cached session, or loads it; a failed load is not cached. */
  get(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    const cached = this.sessions.get(sessionId);
    if (cached) return cached;
    const session = load();
    this.sessions.set(sessionId, session);
    session.catch(() => {
      if (this.sessions.peek(sessionId) === session) this.sessions.delete(sessionId);
    });
    return session;
  }

  /** Removes a session. */
  delete(sessionId: string): void {
    this.sessions.delete(sessionId);
  }

  /** Removes all sessions. */
  clear(): void {
    this.sessions.clear();
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
