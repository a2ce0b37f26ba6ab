import { type LiveSession } from './session-record';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { RedisClients } from '../../platform/redis/redis-clients';

/** After so long a session is asked for again, whatever was heard: with pub/sub lost an ended one dies by this. */
const MAX_AGE_MS = 900;
const MAX_ENTRIES = 20_000;

interface CacheEntry {
  readonly loadedAt: number;
  readonly session: Promise<LiveSession | null>;
}

/** What this process knows of sessions: answers for under a second, and parallel questions for one session once. */
export class LocalSessionCache {
  private readonly entries = new Map<string, CacheEntry>();

  constructor(private readonly now = (): number => Date.now()) {}

  /** The remembered answer, or what `load` answers now; a failed load is not remembered. */
  get(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    const known = this.entries.get(sessionId);
    if (known && this.now() - known.loadedAt < MAX_AGE_MS) return known.session;
    this.entries.delete(sessionId);
    if (this.entries.size >= MAX_ENTRIES) this.evictOldest();
    const entry = { loadedAt: this.now(), session: load() };
    this.entries.set(sessionId, entry);
    entry.session.catch(() => {
      if (this.entries.get(sessionId) === entry) this.entries.delete(sessionId);
    });
    return entry.session;
  }

  /** Forgets a session. */
  delete(sessionId: string): void {
    this.entries.delete(sessionId);
  }

  /** Forgets all. */
  clear(): void {
    this.entries.clear();
  }

  /** A Map keeps the order of insertion, so the first key is the oldest. */
  private evictOldest(): void {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}

/** Ids of sessions that ended or changed, for the memories of all processes. */
const CHANGED_CHANNEL = 'sessions-changed';

/** What this process remembers of sessions, and how it is told to forget. */
@Injectable()
export class SessionCacheService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(SessionCacheService.name);
  private readonly cache = new LocalSessionCache();
  /** Sessions this process has compared with PostgreSQL since it last lost Redis. */
  private readonly verifiedIds = new Set<string>();

  constructor(private readonly clients: RedisClients) {}

  /** Begins to hear of changed sessions. */
  onModuleInit(): void {
    const { commands, subscriber } = this.clients;
    subscriber.on('message', this.onMessage);
    // A Redis that went away may come back without its latest writes.
    for (const client of [commands, subscriber]) client.on('close', this.clearAll);
    subscriber.subscribe(CHANGED_CHANNEL).catch((error: Error) => {
      this.logger.warn(`ended sessions are not heard of, only noticed within a second: ${error.message}`);
    });
  }

  onApplicationShutdown(): void {
    const { commands, subscriber } = this.clients;
    subscriber.off('message', this.onMessage);
    for (const client of [commands, subscriber]) client.off('close', this.clearAll);
  }

  /** The remembered session, or what `load` answers now. */
  get(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    return this.cache.get(sessionId, load);
  }

  /** Whether PostgreSQL has said that this session may be; it is asked once a process. */
  isVerified(sessionId: string): boolean {
    return this.verifiedIds.has(sessionId);
  }

  /** Notes that PostgreSQL has said so. */
  markVerified(sessionId: string): void {
    this.verifiedIds.add(sessionId);
  }

  /** Forgets a session in this process. */
  invalidate(sessionId: string): void {
    this.cache.delete(sessionId);
    this.verifiedIds.delete(sessionId);
  }

  /** Adds to a transaction of Redis that all processes forget a session. */
  publishChange(multi: ChainableCommander, sessionId: string): void {
    multi.publish(CHANGED_CHANNEL, sessionId);
  }

  private readonly onMessage = (channel: string, sessionId: string): void => {
    if (channel === CHANGED_CHANNEL) this.invalidate(sessionId);
  };

  private readonly clearAll = (): void => {
    this.cache.clear();
    this.verifiedIds.clear();
  };
}
