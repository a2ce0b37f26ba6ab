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
  /** Until when the owner counts as freshly confirmed (step-up); empty for never. */
  readonly fresh: string;
}

/** A live session, as guards need it. */
export interface LiveSession {
  readonly id: string;
  readonly userId: number;
  readonly role: 'user' | 'admin';
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
