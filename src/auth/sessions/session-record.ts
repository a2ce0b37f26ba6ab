/** A session as Redis keeps it: a hash of these fields, all text, times in milliseconds since 1970. */
export interface SessionRecord {
  readonly user: string;
  readonly role: string;
  /** When PostgreSQL last said that the account may have sessions; not before users.sessions_valid_from. */
  readonly verifiedAt: string;
  readonly device: string;
  readonly ip: string;
  readonly created: string;
  readonly seen: string;
  /** The absolute end. */
  readonly ends: string;
  /** Hash of the refresh token that is good now. */
  readonly refresh: string;
  /** '1' when the account has a second factor, else empty. */
  readonly mfa: string;
  /** Until when the owner counts as freshly confirmed (step-up); empty for never. */
  readonly stepUpUntil: string;
}

/** A live session, as guards need it. */
export interface LiveSession {
  readonly id: string;
  readonly userId: number;
  readonly role: 'user' | 'admin';
  readonly hasMfa: boolean;
  /** Until when the owner counts as freshly confirmed. */
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

/** Key of a session's hash. */
export function buildSessionKey(sessionId: string): string {
  return `session:${sessionId}`;
}

/** Key of a user's sessions: a sorted set of their ids by their absolute end. */
export function buildUserSessionsKey(userId: number): string {
  return `user-sessions:${userId}`;
}

/** Key of the sealed pair that answers a parallel use of a refresh token. */
export function buildRefreshPairKey(refreshHash: string): string {
  return `session-pair:${refreshHash}`;
}

/** Whether a hash read from Redis is a session and not the nothing an ended one leaves. */
export function isSessionRecord(record: Record<string, string>): record is Record<string, string> & SessionRecord {
  return record.user !== undefined && record.ends !== undefined && record.verifiedAt !== undefined;
}

/** A record as guards need it. */
export function toLiveSession(id: string, record: SessionRecord): LiveSession {
  return {
    id,
    userId: Number(record.user),
    role: record.role === 'admin' ? 'admin' : 'user',
    hasMfa: record.mfa === '1',
    stepUpUntil: record.stepUpUntil ? parseTime(record.stepUpUntil) : null,
  };
}

/** Whether the owner has confirmed himself within the last minutes (step-up). */
export function hasRecentStepUp({ stepUpUntil }: LiveSession): boolean {
  return stepUpUntil !== null && stepUpUntil.getTime() > Date.now();
}

/** A record as its owner sees it. */
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
 * Notes that a session was used and moves its idle end; does nothing when the session is over, so that a late note does
 * not bring a piece of it back.
 * KEYS: session. ARGV: now, idle end (both ms).
 */
export const TOUCH_SESSION = `
local ends = redis.call('HGET', KEYS[1], 'ends')
if not ends then return 0 end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
redis.call('PEXPIREAT', KEYS[1], math.min(tonumber(ends), tonumber(ARGV[2])))
return 1`;

/**
 * Replaces a session's refresh token, once. Another use of the old one within the grace gets the pair the first use got;
 * a later one is told as reuse.
 * KEYS: session, pair of the presented token. ARGV: presented hash, new hash, sealed new pair, grace (ms), now, idle end.
 * Returns {outcome, sealed pair or ''}.
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

/** Sets one field of a session that still lives. KEYS: session. ARGV: field, value. */
export const SET_SESSION_FIELD = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;
