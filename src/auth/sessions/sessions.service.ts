import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { ChainableCommander, Redis } from 'ioredis';
import { Config } from '../../platform/config/config';
import type { Principal } from '../../platform/context/request-context';
import { AppError, unavailable } from '../../platform/errors/app-error';
import { RedisClients } from '../../platform/redis/redis-clients';
import type { TokenSubject } from '../access-tokens/access-tokens.service';
import { AccountsService } from '../accounts/accounts.service';
import {
  SessionCacheService,
  buildRefreshPairKey,
  buildSessionKey,
  buildUserSessionsKey,
  isSessionRecord,
  type LiveSession,
  ROTATE_REFRESH_TOKEN,
  type SessionRecord,
  type SessionSummary,
  SET_SESSION_FIELD,
  toLiveSession,
  toSessionSummary,
  TOUCH_SESSION,
} from './session-cache.service';

/** Time in which another use of a refresh token counts as the same use: two tabs, a repeated request. */
const REFRESH_GRACE_MS = 10_000;

/** Precision of `lastSeenAt`: one write per minute and session. */
const TOUCH_EVERY_MS = 60_000;

/** Longest delay of a session's record after its user's sessions_valid_from changed. */
const VERIFICATION_LAG_MS = 100;

const SESSION_ID_BYTES = 16;

/** The data of a new session. */
export interface NewSession {
  readonly userId: number;
  readonly role: 'user' | 'admin';
  /** When the account was verified, by PostgreSQL's clock. */
  readonly verifiedAt: Date;
  readonly hasMfa?: boolean;
  readonly refreshHash: string;
  readonly device: string | null;
  readonly ip: string | null;
}

/** The outcome of a rotation; `pair` is the encrypted response. */
export type RotationResult =
  { readonly outcome: 'rotated' | 'repeated'; readonly pair: string } | { readonly outcome: 'reused' | 'gone' };

/**
 * Stores sessions in Redis. A session ends in every process within a second: its record is deleted, its id is
 * published, and cached sessions expire. A Redis restored from older data revives no session: a process checks
 * users.sessions_valid_from in PostgreSQL when it first sees a session.
 */
@Injectable()
export class SessionsService {
  private readonly logger = new Logger(SessionsService.name);
  private readonly redis: Redis;
  private readonly idleMs: number;
  private readonly absoluteMs: number;
  private readonly isProduction: boolean;
  private readonly maxSessions: number;

  constructor(
    clients: RedisClients,
    private readonly cache: SessionCacheService,
    private readonly accounts: AccountsService,
    config: Config,
  ) {
    this.redis = clients.commands;
    this.idleMs = config.auth.sessionIdleSeconds * 1000;
    this.absoluteMs = config.auth.sessionAbsoluteSeconds * 1000;
    this.isProduction = config.isProduction;
    this.maxSessions = config.auth.maxSessions;
  }

  /** Generates the id of a new session: 128 random bits. */
  generateId(): string {
    return randomBytes(SESSION_ID_BYTES).toString('base64url');
  }

  /**
   * Starts a session; it is live when the promise resolves.
   * @returns the ids of the oldest sessions, which ended because the user had more than SESSION_MAX_PER_USER
   */
  async begin(id: string, session: NewSession): Promise<string[]> {
    const now = Date.now();
    const ends = now + this.absoluteMs;
    const record: SessionRecord = {
      user: String(session.userId),
      role: session.role,
      verifiedAt: String(session.verifiedAt.getTime()),
      device: session.device ?? '',
      ip: session.ip ?? '',
      created: String(now),
      seen: String(now),
      ends: String(ends),
      refresh: session.refreshHash,
      mfa: session.hasMfa ? '1' : '',
      stepUpUntil: '',
    };
    const list = buildUserSessionsKey(session.userId);
    const results = await execAll(
      this.redis
        .multi()
        .hset(buildSessionKey(id), record)
        .pexpireat(buildSessionKey(id), Math.min(ends, now + this.idleMs))
        .zremrangebyscore(list, '-inf', now)
        .zadd(list, ends, id)
        .pexpireat(list, ends)
        .zcard(list),
    );
    return Number(results.at(-1)) > this.maxSessions ? this.endOldest(session.userId, id) : [];
  }

  /**
   * Returns the live session with this id, at most a second old; null without one.
   * @throws AppError `service.unavailable` when Redis is not available
   */
  async findLive(id: string): Promise<LiveSession | null> {
    try {
      return await this.cache.get(id, () => this.load(id));
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /**
   * Returns the principal of a token with a live session.
   * @throws AppError `auth.token_invalid`, `service.unavailable`
   */
  async resolvePrincipal(subject: TokenSubject | null): Promise<Principal> {
    const session = subject && (await this.findLive(subject.sessionId));
    if (!session || session.userId !== subject.userId) throw new AppError('auth.token_invalid');
    const { id, userId, role, hasMfa, stepUpUntil } = session;
    return { userId, role, sessionId: id, hasMfa, ...(stepUpUntil && { recentAuthUntil: stepUpUntil.getTime() }) };
  }

  /**
   * Rejects users who are not admins, and admins with a second factor who have not re-authenticated within 10 minutes.
   * @throws AppError `auth.forbidden`, `auth.step_up_required`
   */
  assertAdmin(principal: Principal): void {
    if (principal.role !== 'admin')
      throw new AppError('auth.forbidden', { detail: 'This route needs the role admin.' });
    if (principal.hasMfa) this.requireRecentAuth(principal);
  }

  /** Rejects users who have not re-authenticated within 10 minutes. @throws AppError `auth.step_up_required` */
  requireRecentAuth({ recentAuthUntil }: Principal): void {
    if ((recentAuthUntil ?? 0) <= Date.now()) throw new AppError('auth.step_up_required');
  }

  /**
   * Rejects admins without a second factor in production: there they set it up before anything else.
   * @throws AppError `auth.mfa_enrolment_required`
   */
  assertEnrolled({ role, hasMfa }: Principal): void {
    if (this.isProduction && role === 'admin' && !hasMfa) throw new AppError('auth.mfa_enrolment_required');
  }

  /**
   * Replaces the refresh token of a session. Parallel uses of one token within 10 s are one rotation and get one pair.
   * @param next the hash of the new token and the encrypted response, stored for the grace period
   */
  async rotate(id: string, presentedHash: string, next: { hash: string; pair: string }): Promise<RotationResult> {
    const now = Date.now();
    const keys = [buildSessionKey(id), buildRefreshPairKey(presentedHash)];
    const values = [presentedHash, next.hash, next.pair, REFRESH_GRACE_MS, now, now + this.idleMs];
    const answer = await this.redis.eval(ROTATE_REFRESH_TOKEN, keys.length, ...keys, ...values);
    const [outcome, pair] = answer as [RotationResult['outcome'], string];
    return outcome === 'rotated' || outcome === 'repeated' ? { outcome, pair } : { outcome };
  }

  /** Returns the live sessions of a user, most recently used first. */
  async list(userId: number): Promise<SessionSummary[]> {
    const ids = await this.listIds(userId);
    const records = await Promise.all(ids.map((id) => this.redis.hgetall(buildSessionKey(id))));
    return records
      .flatMap((record, i) =>
        isSessionRecord(record) && record.user === String(userId) ? [toSessionSummary(ids[i]!, record)] : [],
      )
      .sort((a, b) => b.lastSeenAt.getTime() - a.lastSeenAt.getTime());
  }

  /** Ends one session of a user in every process; returns false when the user has no such session. */
  async end(userId: number, id: string): Promise<boolean> {
    const owner = await this.redis.hget(buildSessionKey(id), 'user');
    if (owner !== String(userId)) return false;
    await this.remove(userId, [id]);
    return true;
  }

  /** Ends all sessions of a user, or all but one; returns their number. */
  async endAll(userId: number, exceptId?: string): Promise<number> {
    const ids = (await this.listIds(userId)).filter((id) => id !== exceptId);
    await this.remove(userId, ids);
    return ids.length;
  }

  /** Stores the end of a step-up. */
  async markStepUp(id: string, until: Date): Promise<void> {
    await this.setField(id, 'stepUpUntil', String(until.getTime()));
  }

  /** Keeps a session valid after users.sessions_valid_from moved to `at`. */
  async markVerified(id: string, at: Date): Promise<void> {
    await this.setField(id, 'verifiedAt', String(at.getTime()));
  }

  /** Stores in all sessions of a user whether the account has a second factor. */
  async markMfa(userId: number, hasMfa: boolean): Promise<void> {
    for (const id of await this.listIds(userId)) await this.setField(id, 'mfa', hasMfa ? '1' : '');
  }

  private async setField(id: string, field: keyof SessionRecord, value: string): Promise<void> {
    const multi = this.redis.multi().eval(SET_SESSION_FIELD, 1, buildSessionKey(id), field, value);
    this.cache.publishChange(multi, id);
    await execAll(multi);
    this.cache.invalidate(id);
  }

  private async load(id: string): Promise<LiveSession | null> {
    const record = await this.redis.hgetall(buildSessionKey(id));
    if (!isSessionRecord(record) || Number(record.ends) <= Date.now()) return null;
    if (!this.cache.isVerified(id)) {
      if (!(await this.isStillValid(id, record))) {
        await this.remove(Number(record.user), [id]);
        return null;
      }
      this.cache.markVerified(id);
    }
    this.touch(id, record);
    return toLiveSession(id, record);
  }

  /**
   * Returns whether the account may still have this session: it is active, has the same role and has not ended its
   * sessions. The session that survives a password change is updated just after PostgreSQL: hence the second read.
   */
  private async isStillValid(id: string, record: SessionRecord): Promise<boolean> {
    const account = await this.accounts.findStatus(Number(record.user));
    if (!account?.isActive || account.role !== record.role) return false;
    const validFrom = account.sessionsValidFrom.getTime();
    if (validFrom <= Number(record.verifiedAt)) return true;
    await sleep(VERIFICATION_LAG_MS);
    return validFrom <= Number(await this.redis.hget(buildSessionKey(id), 'verifiedAt'));
  }

  /** Records the use of a session. Not awaited, so that requests do not wait for it. */
  private touch(id: string, record: SessionRecord): void {
    const now = Date.now();
    if (now - Number(record.seen) < TOUCH_EVERY_MS) return;
    this.redis
      .eval(TOUCH_SESSION, 1, buildSessionKey(id), now, now + this.idleMs)
      .catch((error: Error) => this.logger.warn(`cannot record the use of a session: ${error.message}`));
  }

  /** Ends the oldest sessions beyond the limit, never the new one. Expired ones in the list do not count. */
  private async endOldest(userId: number, newId: string): Promise<string[]> {
    const ids = await this.listIds(userId);
    const isLive = await Promise.all(ids.map((id) => this.redis.exists(buildSessionKey(id))));
    await this.remove(
      userId,
      ids.filter((_, i) => isLive[i] === 0),
    );
    const others = ids.filter((id, i) => isLive[i] === 1 && id !== newId);
    const oldest = others.slice(0, Math.max(0, others.length + 1 - this.maxSessions));
    const hasEnded = await Promise.all(oldest.map((id) => this.end(userId, id)));
    return oldest.filter((_, i) => hasEnded[i]);
  }

  /** Returns session ids in the order of their end. */
  private async listIds(userId: number): Promise<string[]> {
    return this.redis.zrangebyscore(buildUserSessionsKey(userId), Date.now(), '+inf');
  }

  private async remove(userId: number, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const multi = this.redis
      .multi()
      .del(...ids.map(buildSessionKey))
      .zrem(buildUserSessionsKey(userId), ...ids);
    for (const id of ids) this.cache.publishChange(multi, id);
    await execAll(multi);
    for (const id of ids) this.cache.invalidate(id);
  }
}

/** Executes a Redis transaction; throws the first error of a command, since `exec` rejects only if sending fails. */
async function execAll(multi: ChainableCommander): Promise<unknown[]> {
  const results = (await multi.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
  return results.map(([, result]) => result);
}
