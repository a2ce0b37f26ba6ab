import { randomBytes } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander, Redis } from 'ioredis';
import { Config } from '../platform/config/config';
import type { Principal } from '../platform/context/request-context';
import { AppError, unavailable } from '../platform/errors/app-error';
import { RedisClients } from '../platform/redis/redis-clients';
import type { TokenSubject } from './access-tokens.service';
import { Accounts } from './accounts.service';
import { SessionCache } from './session-cache';
import {
  refreshPairKey,
  sessionKey,
  userSessionsKey,
  type LiveSession,
  type SessionRecord,
  type SessionSummary,
} from './session-record';
import { ROTATE, SET_FIELD, TOUCH } from './session-scripts';

/** Ids of sessions that ended, for the caches of all processes. */
const ENDED_CHANNEL = 'sessions-ended';

/** Within it a second use of a refresh token counts as the same use: two tabs, a repeated request. */
const REFRESH_GRACE_MS = 10_000;

/** How exact `lastSeenAt` is: one write a minute and session. */
const TOUCH_EVERY_MS = 60_000;

const SESSION_ID_BYTES = 16;

/** What a new session is made of. */
export interface NewSession {
  readonly userId: number;
  readonly role: 'user' | 'admin';
  /** PostgreSQL's time at which the account was found good. */
  readonly provenAt: Date;
  readonly refreshHash: string;
  readonly device: string | null;
  readonly ip: string | null;
}

/** What came of presenting a refresh token; `pair` is the sealed answer. */
export type RotationResult =
  | { readonly outcome: 'rotated' | 'repeated'; readonly pair: string }
  | { readonly outcome: 'reused' | 'gone' };

/**
 * The sessions in Redis. What ends a session ends it for every process within a second: its record goes, its id is told
 * to all by pub/sub, and no process trusts its memory longer than that. A Redis that comes back with an older memory
 * revives nothing: the first time a process sees a session it asks PostgreSQL for users.sessions_valid_from.
 */
@Injectable()
export class SessionsService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(SessionsService.name);
  private readonly cache = new SessionCache();
  /** Sessions this process has compared with PostgreSQL since it last lost Redis. */
  private readonly proven = new Set<string>();
  private readonly redis: Redis;
  private readonly idleMs: number;
  private readonly absoluteMs: number;

  constructor(
    private readonly clients: RedisClients,
    private readonly accounts: Accounts,
    config: Config,
  ) {
    this.redis = clients.commands;
    this.idleMs = config.auth.sessionIdleSeconds * 1000;
    this.absoluteMs = config.auth.sessionAbsoluteSeconds * 1000;
  }

  /** Begins to hear of ended sessions. */
  onModuleInit(): void {
    const { commands, subscriber } = this.clients;
    subscriber.on('message', this.hear);
    // A Redis that went away may come back without its latest writes.
    for (const client of [commands, subscriber]) client.on('close', this.forgetAll);
    subscriber.subscribe(ENDED_CHANNEL).catch((error: Error) => {
      this.logger.warn(`ended sessions are not heard of, only noticed within a second: ${error.message}`);
    });
  }

  onApplicationShutdown(): void {
    const { commands, subscriber } = this.clients;
    subscriber.off('message', this.hear);
    for (const client of [commands, subscriber]) client.off('close', this.forgetAll);
  }

  /** Makes an id for a session to be: 128 random bits. */
  newId(): string {
    return randomBytes(SESSION_ID_BYTES).toString('base64url');
  }

  /** Begins a session; it is live when the promise resolves. */
  async begin(id: string, session: NewSession): Promise<void> {
    const now = Date.now();
    const ends = now + this.absoluteMs;
    const record: SessionRecord = {
      user: String(session.userId),
      role: session.role,
      proven: String(session.provenAt.getTime()),
      device: session.device ?? '',
      ip: session.ip ?? '',
      created: String(now),
      seen: String(now),
      ends: String(ends),
      refresh: session.refreshHash,
      fresh: '',
    };
    const list = userSessionsKey(session.userId);
    await all(
      this.redis
        .multi()
        .hset(sessionKey(id), record)
        .pexpireat(sessionKey(id), Math.min(ends, now + this.idleMs))
        .zremrangebyscore(list, '-inf', now)
        .zadd(list, ends, id)
        .pexpireat(list, ends),
    );
  }

  /**
   * The session with this id while it lives, else null. At most a second old.
   * @throws AppError `service.unavailable` when Redis cannot be asked
   */
  async live(id: string): Promise<LiveSession | null> {
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
  async principalOf(subject: TokenSubject | null): Promise<Principal> {
    const session = subject && (await this.live(subject.sessionId));
    if (!session || session.userId !== subject.userId) throw new AppError('auth.token_invalid');
    return { userId: session.userId, role: session.role, sessionId: session.id };
  }

  /**
   * Replaces the refresh token of a session. Parallel uses of one token within 10 s are one rotation and get one pair.
   * @param next the hash of the new token and the sealed answer, kept for the grace
   */
  async rotate(id: string, presentedHash: string, next: { hash: string; pair: string }): Promise<RotationResult> {
    const now = Date.now();
    const [outcome, pair] = (await this.redis.eval(
      ROTATE,
      2,
      sessionKey(id),
      refreshPairKey(presentedHash),
      presentedHash,
      next.hash,
      next.pair,
      REFRESH_GRACE_MS,
      now,
      now + this.idleMs,
    )) as [RotationResult['outcome'], string];
    return outcome === 'rotated' || outcome === 'repeated' ? { outcome, pair } : { outcome };
  }

  /** The live sessions of a user, most recently used first. */
  async list(userId: number): Promise<SessionSummary[]> {
    const ids = await this.idsOf(userId);
    const records = await Promise.all(ids.map((id) => this.redis.hgetall(sessionKey(id))));
    return records
      .flatMap((record, i) => (record.user === String(userId) ? [summaryOf(ids[i]!, record)] : []))
      .sort((a, b) => b.lastSeenAt.getTime() - a.lastSeenAt.getTime());
  }

  /** Ends one session of a user, everywhere; false when he has no such session. */
  async end(userId: number, id: string): Promise<boolean> {
    const owner = await this.redis.hget(sessionKey(id), 'user');
    if (owner !== String(userId)) return false;
    await this.remove(userId, [id]);
    return true;
  }

  /** Ends the sessions of a user, all or all but one; returns how many. */
  async endAll(userId: number, exceptId?: string): Promise<number> {
    const ids = (await this.idsOf(userId)).filter((id) => id !== exceptId);
    await this.remove(userId, ids);
    return ids.length;
  }

  /** Marks that the owner has just confirmed who he is. */
  async markFresh(id: string, until: Date): Promise<void> {
    await this.setField(id, 'fresh', until);
  }

  /** Lets a session outlive a move of users.sessions_valid_from to `at`. */
  async markProven(id: string, at: Date): Promise<void> {
    await this.setField(id, 'proven', at);
  }

  private async setField(id: string, field: keyof SessionRecord, value: Date): Promise<void> {
    await this.redis.eval(SET_FIELD, 1, sessionKey(id), field, value.getTime());
    await this.redis.publish(ENDED_CHANNEL, id);
    this.forget(id);
  }

  private async load(id: string): Promise<LiveSession | null> {
    const record = await this.redis.hgetall(sessionKey(id));
    if (!isWhole(record) || Number(record.ends) <= Date.now()) return null;
    const userId = Number(record.user);
    if (!this.proven.has(id)) {
      if (!(await this.isProven(userId, record))) {
        await this.remove(userId, [id]);
        return null;
      }
      this.proven.add(id);
    }
    this.touch(id, record);
    return { id, userId, role: record.role as LiveSession['role'], freshUntil: record.fresh ? timeOf(record.fresh) : null };
  }

  /** Whether the account may still have this session: not deactivated, not changed in role, not told to end them. */
  private async isProven(userId: number, record: SessionRecord): Promise<boolean> {
    const standing = await this.accounts.standing(userId);
    return (
      standing !== null &&
      standing.isActive &&
      standing.role === record.role &&
      standing.sessionsValidFrom.getTime() <= Number(record.proven)
    );
  }

  /** Not awaited: a request need not wait for its own trace. */
  private touch(id: string, record: SessionRecord): void {
    const now = Date.now();
    if (now - Number(record.seen) < TOUCH_EVERY_MS) return;
    this.redis
      .eval(TOUCH, 1, sessionKey(id), now, now + this.idleMs)
      .catch((error: Error) => this.logger.warn(`session not touched: ${error.message}`));
  }

  private async idsOf(userId: number): Promise<string[]> {
    return this.redis.zrangebyscore(userSessionsKey(userId), Date.now(), '+inf');
  }

  private async remove(userId: number, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const multi = this.redis.multi().del(...ids.map(sessionKey)).zrem(userSessionsKey(userId), ...ids);
    for (const id of ids) multi.publish(ENDED_CHANNEL, id);
    await all(multi);
    ids.forEach((id) => this.forget(id));
  }

  private forget(id: string): void {
    this.cache.drop(id);
    this.proven.delete(id);
  }

  private readonly hear = (channel: string, sessionId: string): void => {
    if (channel === ENDED_CHANNEL) this.forget(sessionId);
  };

  private readonly forgetAll = (): void => {
    this.cache.clear();
    this.proven.clear();
  };
}

/** A transaction of Redis rejects as a whole only when it could not be sent; each command's error stands in its place. */
async function all(multi: ChainableCommander): Promise<void> {
  const results = (await multi.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
}

function isWhole(record: Record<string, string>): record is Record<string, string> & SessionRecord {
  return record.user !== undefined && record.ends !== undefined && record.proven !== undefined;
}

function summaryOf(id: string, record: Record<string, string>): SessionSummary {
  return {
    id,
    device: record.device || null,
    ip: record.ip || null,
    createdAt: timeOf(record.created),
    lastSeenAt: timeOf(record.seen),
  };
}

function timeOf(milliseconds: string | undefined): Date {
  return new Date(Number(milliseconds));
}
