/** A session as Redis keeps it: a hash of these fields, all text, times in milliseconds since 1970. */
export interface SessionRecord {
  readonly user: string;
  readonly role: string;
  /** When PostgreSQL last said that the account may have sessions; not before users.sessions_valid_from. */
  readonly proven: string;
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
  readonly fresh: string;
}

/** A live session, as guards need it. */
export interface LiveSession {
  readonly id: string;
  readonly userId: number;
  readonly role: 'user' | 'admin';
  readonly hasMfa: boolean;
  /** Until when the owner counts as freshly confirmed. */
  readonly freshUntil: Date | null;
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
export function sessionKey(sessionId: string): string {
  return `session:${sessionId}`;
}

/** Key of a user's sessions: a sorted set of their ids by their absolute end. */
export function userSessionsKey(userId: number): string {
  return `user-sessions:${userId}`;
}

/** Key of the sealed pair that answers a parallel use of a refresh token. */
export function refreshPairKey(refreshHash: string): string {
  return `session-pair:${refreshHash}`;
}

/** Whether a hash read from Redis is a session and not the nothing an ended one leaves. */
export function isWhole(record: Record<string, string>): record is Record<string, string> & SessionRecord {
  return record.user !== undefined && record.ends !== undefined && record.proven !== undefined;
}

/** A record as guards need it. */
export function liveSessionOf(id: string, record: SessionRecord): LiveSession {
  return {
    id,
    userId: Number(record.user),
    role: record.role === 'admin' ? 'admin' : 'user',
    hasMfa: record.mfa === '1',
    freshUntil: record.fresh ? timeOf(record.fresh) : null,
  };
}

/** Whether the owner has confirmed himself within the last minutes (step-up). */
export function isFresh({ freshUntil }: LiveSession): boolean {
  return freshUntil !== null && freshUntil.getTime() > Date.now();
}

/** A record as its owner sees it. */
export function summaryOf(id: string, record: SessionRecord): SessionSummary {
  return {
    id,
    device: record.device || null,
    ip: record.ip || null,
    createdAt: timeOf(record.created),
    lastSeenAt: timeOf(record.seen),
  };
}

function timeOf(milliseconds: string): Date {
  return new Date(Number(milliseconds));
}
