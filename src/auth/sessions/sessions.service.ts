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
import { SessionCacheService } from './session-cache.service';
import {
  buildRefreshPairKey,
  buildSessionKey,
  buildUserSessionsKey,
  hasRecentStepUp,
  isSessionRecord,
  type LiveSession,
  ROTATE_REFRESH_TOKEN,
  type SessionRecord,
  type SessionSummary,
  SET_SESSION_FIELD,
  toLiveSession,
  toSessionSummary,
  TOUCH_SESSION,
} from './session-record';

/** Within it a second use of a refresh token counts as the same use: two tabs, a repeated request. */
const REFRESH_GRACE_MS = 10_000;

/** How exact `lastSeenAt` is: one write a minute and session. */
const TOUCH_EVERY_MS = 60_000;

/** How long the record of a session may lag behind its user's sessions_valid_from. */
const VERIFICATION_LAG_MS = 100;

const SESSION_ID_BYTES = 16;

/** Sessions of one user; beginning another ends the oldest. */
const MAX_SESSIONS = 50;

/** What a new session is made of. */
export interface NewSession {
  readonly userId: number;
  readonly role: 'user' | 'admin';
  /** PostgreSQL's time at which the account was found good. */
  readonly verifiedAt: Date;
  readonly hasMfa?: boolean;
  readonly refreshHash: string;
  readonly device: string | null;
  readonly ip: string | null;
}

/** What came of presenting a refresh token; `pair` is the sealed answer. */
export type RotationResult =
  { readonly outcome: 'rotated' | 'repeated'; readonly pair: string } | { readonly outcome: 'reused' | 'gone' };

/**
 * The sessions in Redis. What ends a session ends it for every process within a second: its record goes, its id is told
 * to all by pub/sub, and no process trusts its memory longer than that. A Redis that comes back with an older memory
 * revives nothing: the first time a process sees a session it asks PostgreSQL for users.sessions_valid_from.
 */
@Injectable()
export class SessionsService {
  private readonly logger = new Logger(SessionsService.name);
  private readonly redis: Redis;
  private readonly idleMs: number;
  private readonly absoluteMs: number;

  constructor(
    clients: RedisClients,
    private readonly cache: SessionCacheService,
    private readonly accounts: AccountsService,
    config: Config,
  ) {
    this.redis = clients.commands;
    this.idleMs = config.auth.sessionIdleSeconds * 1000;
    this.absoluteMs = config.auth.sessionAbsoluteSeconds * 1000;
  }

  /** Makes an id for a session to be: 128 random bits. */
  generateId(): string {
    return randomBytes(SESSION_ID_BYTES).toString('base64url');
  }

  /**
   * Begins a session; it is live when the promise resolves.
   * @returns the ids of the oldest sessions, which ended because the user has more than 50
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
    return Number(results.at(-1)) > MAX_SESSIONS ? this.endOldest(session.userId) : [];
  }

  /**
   * The session with this id while it lives, else null. At most a second old.
   * @throws AppError `service.unavailable` when Redis cannot be asked
   */
  async findLive(id: string): Promise<LiveSession | null> {
    try {
      return await this.cache.get(id, () => this.load(id));
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /**
   * Who a token speaks for, while its session lives.
   * @throws AppError `auth.token_invalid`, `service.unavailable`
   */
  async resolvePrincipal(subject: TokenSubject | null): Promise<Principal> {
    const session = subject && (await this.findLive(subject.sessionId));
    if (!session || session.userId !== subject.userId) throw new AppError('auth.token_invalid');
    return { userId: session.userId, role: session.role, sessionId: session.id };
  }

  /**
   * Lets admins pass; one with a second factor must have confirmed himself within the last minutes.
   * @throws AppError `auth.forbidden`, `auth.token_invalid`, `auth.step_up_required`
   */
  async assertAdmin({ role, sessionId }: Principal): Promise<void> {
    if (role !== 'admin') throw new AppError('auth.forbidden', { detail: 'This route needs the role admin.' });
    const session = await this.findLive(sessionId);
    if (!session) throw new AppError('auth.token_invalid');
    if (session.hasMfa && !hasRecentStepUp(session)) throw new AppError('auth.step_up_required');
  }

  /**
   * Lets pass who has confirmed himself within the last minutes.
   * @throws AppError `auth.token_invalid`, `auth.step_up_required`
   */
  async requireRecentAuth({ sessionId }: Principal): Promise<void> {
    const session = await this.findLive(sessionId);
    if (!session) throw new AppError('auth.token_invalid');
    if (!hasRecentStepUp(session)) throw new AppError('auth.step_up_required');
  }

  /**
   * Replaces the refresh token of a session. Parallel uses of one token within 10 s are one rotation and get one pair.
   * @param next the hash of the new token and the sealed answer, kept for the grace
   */
  async rotate(id: string, presentedHash: string, next: { hash: string; pair: string }): Promise<RotationResult> {
    const now = Date.now();
    const keys = [buildSessionKey(id), buildRefreshPairKey(presentedHash)];
    const values = [presentedHash, next.hash, next.pair, REFRESH_GRACE_MS, now, now + this.idleMs];
    const answer = await this.redis.eval(ROTATE_REFRESH_TOKEN, keys.length, ...keys, ...values);
    const [outcome, pair] = answer as [RotationResult['outcome'], string];
    return outcome === 'rotated' || outcome === 'repeated' ? { outcome, pair } : { outcome };
  }

  /** The live sessions of a user, most recently used first. */
  async list(userId: number): Promise<SessionSummary[]> {
    const ids = await this.listIds(userId);
    const records = await Promise.all(ids.map((id) => this.redis.hgetall(buildSessionKey(id))));
    return records
      .flatMap((record, i) =>
        isSessionRecord(record) && record.user === String(userId) ? [toSessionSummary(ids[i]!, record)] : [],
      )
      .sort((a, b) => b.lastSeenAt.getTime() - a.lastSeenAt.getTime());
  }

  /** Ends one session of a user, everywhere; false when he has no such session. */
  async end(userId: number, id: string): Promise<boolean> {
    const owner = await this.redis.hget(buildSessionKey(id), 'user');
    if (owner !== String(userId)) return false;
    await this.remove(userId, [id]);
    return true;
  }

  /** Ends the sessions of a user, all or all but one; returns how many. */
  async endAll(userId: number, exceptId?: string): Promise<number> {
    const ids = (await this.listIds(userId)).filter((id) => id !== exceptId);
    await this.remove(userId, ids);
    return ids.length;
  }

  /** Marks that the owner has just confirmed who he is. */
  async markStepUp(id: string, until: Date): Promise<void> {
    await this.setField(id, 'stepUpUntil', String(until.getTime()));
  }

  /** Lets a session outlive a move of users.sessions_valid_from to `at`. */
  async markVerified(id: string, at: Date): Promise<void> {
    await this.setField(id, 'verifiedAt', String(at.getTime()));
  }

  /** Notes in all sessions of a user whether he has a second factor. */
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
   * Whether the account may still have this session: not deactivated, not changed in role, not told to end them. The one
   * session that survives a change of password learns of its proof a moment after PostgreSQL: hence the second look.
   */
  private async isStillValid(id: string, record: SessionRecord): Promise<boolean> {
    const account = await this.accounts.findStatus(Number(record.user));
    if (!account?.isActive || account.role !== record.role) return false;
    const validFrom = account.sessionsValidFrom.getTime();
    if (validFrom <= Number(record.verifiedAt)) return true;
    await sleep(VERIFICATION_LAG_MS);
    return validFrom <= Number(await this.redis.hget(buildSessionKey(id), 'verifiedAt'));
  }

  /** Not awaited: a request need not wait for its own trace. */
  private touch(id: string, record: SessionRecord): void {
    const now = Date.now();
    if (now - Number(record.seen) < TOUCH_EVERY_MS) return;
    this.redis
      .eval(TOUCH_SESSION, 1, buildSessionKey(id), now, now + this.idleMs)
      .catch((error: Error) => this.logger.warn(`session not touched: ${error.message}`));
  }

  /** The list also names sessions that ended by being idle; they do not count. */
  private async endOldest(userId: number): Promise<string[]> {
    const ids = await this.listIds(userId);
    const isLive = await Promise.all(ids.map((id) => this.redis.exists(buildSessionKey(id))));
    await this.remove(
      userId,
      ids.filter((_, i) => isLive[i] === 0),
    );
    const oldest = ids.filter((_, i) => isLive[i] === 1).slice(0, -MAX_SESSIONS);
    const hasEnded = await Promise.all(oldest.map((id) => this.end(userId, id)));
    return oldest.filter((_, i) => hasEnded[i]);
  }

  /** In the order of their beginning. */
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

/** A transaction of Redis rejects as a whole only when it could not be sent; each command's error stands in its place. */
async function execAll(multi: ChainableCommander): Promise<unknown[]> {
  const results = (await multi.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
  return results.map(([, result]) => result);
}
