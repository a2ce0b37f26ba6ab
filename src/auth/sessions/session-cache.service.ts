import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { FailoverDetectorService } from '../../platform/database/failover-detector.service';
import { RedisClients, RedisSubscription } from '../../platform/redis/redis-clients';

/** A session in Redis: a hash of these fields, all text, times in milliseconds since 1970. */
export interface SessionRecord {
  readonly user: string;
  readonly role: string;
  /** When the account was last verified in PostgreSQL; not before users.sessions_valid_from. */
  readonly verifiedAt: string;
  readonly device: string;
  readonly ip: string;
  readonly created: string;
  readonly seen: string;
  /** Absolute end. */
  readonly ends: string;
  /** Hash of the current refresh token. */
  readonly refresh: string;
  /** '1' when the account has a second factor, else empty. */
  readonly mfa: string;
  /** End of the step-up; empty without one. */
  readonly stepUpUntil: string;
}

/** A live session, as guards check it. */
export interface LiveSession {
  readonly id: string;
  readonly userId: number;
  readonly role: 'user' | 'admin';
  readonly hasMfa: boolean;
  /** End of the step-up. */
  readonly stepUpUntil: Date | null;
}

/** A live session, as its owner sees it. */
export interface SessionSummary {
  readonly id: string;
  readonly device: string | null;
  readonly ip: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
}

/** Returns the key of a session's hash. */
export function buildSessionKey(sessionId: string): string {
  return `session:${sessionId}`;
}

/** Returns the key of a user's sessions: a sorted set of their ids by absolute end. */
export function buildUserSessionsKey(userId: number): string {
  return `user-sessions:${userId}`;
}

/** Returns the key of the encrypted pair that answers parallel uses of a refresh token. */
export function buildRefreshPairKey(refreshHash: string): string {
  return `session-pair:${refreshHash}`;
}

/** Returns whether a hash of Redis is a session; the hash of an ended session is empty. */
export function isSessionRecord(record: Record<string, string>): record is Record<string, string> & SessionRecord {
  return record.user !== undefined && record.ends !== undefined && record.verifiedAt !== undefined;
}

/** Converts a record for guards. */
export function toLiveSession(id: string, record: SessionRecord): LiveSession {
  return {
    id,
    userId: Number(record.user),
    role: record.role === 'admin' ? 'admin' : 'user',
    hasMfa: record.mfa === '1',
    stepUpUntil: record.stepUpUntil ? parseTime(record.stepUpUntil) : null,
  };
}

/** Converts a record for its owner. */
export function toSessionSummary(id: string, record: SessionRecord): SessionSummary {
  return {
    id,
    device: record.device || null,
    ip: record.ip || null,
    createdAt: parseTime(record.created),
    lastSeenAt: parseTime(record.seen),
  };
}

function parseTime(milliseconds: string): Date {
  return new Date(Number(milliseconds));
}

/**
 * Records the use of a session and moves its idle end. Does nothing when the session has ended, so that a late write
 * does not restore a part of it.
 * KEYS: session. ARGV: now, idle end (both ms).
 */
export const TOUCH_SESSION = `
local ends = redis.call('HGET', KEYS[1], 'ends')
if not ends then return 0 end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
redis.call('PEXPIREAT', KEYS[1], math.min(tonumber(ends), tonumber(ARGV[2])))
return 1`;

/**
 * Replaces a session's refresh token, once. Another use of the old token within the grace period gets the same pair; a
 * later use is reported as reuse.
 * KEYS: session, pair of the presented token. ARGV: presented hash, new hash, encrypted pair, grace, now, idle end
 * (ms).
 * Returns {outcome, encrypted pair or ''}.
 */
export const ROTATE_REFRESH_TOKEN = `
local session = redis.call('HMGET', KEYS[1], 'refresh', 'ends')
if not session[1] then return {'gone', ''} end
if session[1] == ARGV[1] then
  redis.call('HSET', KEYS[1], 'refresh', ARGV[2], 'seen', ARGV[5])
  redis.call('PEXPIREAT', KEYS[1], math.min(tonumber(session[2]), tonumber(ARGV[6])))
  redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
  return {'rotated', ARGV[3]}
end
local pair = redis.call('GET', KEYS[2])
if pair then return {'repeated', pair} end
return {'reused', ''}`;

/** Sets one field of a live session. KEYS: session. ARGV: field, value. */
export const SET_SESSION_FIELD = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

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
  /** Sessions this process has verified in PostgreSQL since it last lost Redis or met another primary. */
  private readonly verifiedIds = new Set<string>();

  private readonly subscription: RedisSubscription;

  constructor(clients: RedisClients, failovers: FailoverDetectorService) {
    // The id of a lost account is given to the next one: each session is verified again.
    failovers.onPrimary(() => this.clear());
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
