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

/** Returns whether the user has re-authenticated within the last minutes (step-up). */
export function hasRecentStepUp({ stepUpUntil }: LiveSession): boolean {
  return stepUpUntil !== null && stepUpUntil.getTime() > Date.now();
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
