import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { KeyServiceUnavailable } from '../platform/encryption/kms/key-service';
import { AppError } from '../platform/errors/app-error';
import { UpworkError } from '../upwork/upwork.error';
import { UpworkOAuthService, type GrantedTokens } from '../upwork/upwork-oauth.service';
import {
  CLAIM_REFRESH_LEASE,
  RECORD_REFRESH_FAILURE,
  READ_WITH_REFRESH_STATE,
  STORE_REFRESHED,
  type TokenWithRefreshState,
} from './tokens.queries';
import { TokenEncryptionService } from './token-encryption.service';
import type { UserToken } from './user-token.entity';

const FIRST_BACK_OFF_SECONDS = 30;
const MAX_BACK_OFF_SECONDS = 600;

/**
 * Computes the delay after a failure in seconds: 30, 60, 120, … up to 600. Up to a fifth is subtracted to spread
 * retries. The result is never below the delay the provider asked for.
 */
export function computeBackOffSeconds(failuresBefore: number, retryAfterMs = 0): number {
  const doubled = Math.min(FIRST_BACK_OFF_SECONDS * 2 ** Math.min(failuresBefore, 20), MAX_BACK_OFF_SECONDS);
  return Math.max(doubled * (1 - Math.random() / 5), retryAfterMs / 1_000);
}

/** Longer than the provider call may take, so that time is left to repeat a failed store. */
const LEASE_SECONDS = 30;
const STORE_INTERVAL_MS = 500;

/** A refresh within this time also serves new callers. */
const RECENT_REFRESH_SECONDS = 10;

/** Limit and poll interval for callers that wait for another refresh. */
const MAX_WAIT_MS = 10_000;
const POLL_INTERVAL_MS = 150;

/** Upwork's help says that an unused refresh token lasts two weeks. */
const MAX_REST_MS = 14 * 86_400_000;

/** Access tokens are not used in their last minutes: calls take time, and clocks differ. */
const EXPIRY_MARGIN_MS = 120_000;

/**
 * Refreshes connections, one caller at a time across all processes. The provider rotates tokens: the second of two
 * parallel refreshes would be refused and a valid pair lost. The first caller takes a lease in a short transaction and
 * calls the provider outside any transaction. It stores the answer only while it owns the lease. All others wait for
 * its result.
 *
 * A failure never changes the pair. If a process dies between the provider's answer and the store, or PostgreSQL is
 * away until the lease ends, the new pair is lost and the old one void. The next refresh after the lease is then
 * refused, and the owner is asked to reconnect.
 */
@Injectable()
export class TokenRefreshService {
  private readonly logger = new Logger(TokenRefreshService.name);

  constructor(
    private readonly database: Database,
    private readonly encryption: TokenEncryptionService,
    private readonly upwork: UpworkOAuthService,
  ) {}

  /**
   * Refreshes the tenant's connection, or waits for a running refresh, and returns the result. A refresh within the
   * last 10 s is reused. Session: user; opens its own short units, none during the provider call. One audit row.
   * @throws AppError `token.not_found`, `token.reconnect_needed`, `token.refresh_failed`, `token.refresh_running` after
   *   10 s, `service.unavailable` without the key management service
   */
  async refresh(id: number): Promise<UserToken> {
    const until = Date.now() + MAX_WAIT_MS;
    const owner = randomUUID();
    for (;;) {
      const [claimed] = await this.database.query<UserToken>(CLAIM_REFRESH_LEASE, [
        id,
        owner,
        LEASE_SECONDS,
        RECENT_REFRESH_SECONDS,
      ]);
      if (claimed) return this.refreshUnderLease(claimed, owner);
      const settled = await this.findSettled(id);
      if (settled) return settled;
      if (Date.now() > until) throw new AppError('token.refresh_running', { headers: { 'retry-after': '5' } });
      await sleep(POLL_INTERVAL_MS * (0.5 + Math.random()));
    }
  }

  /**
   * Returns an access token that is valid for at least two minutes; refreshes the connection if needed.
   * @throws AppError as `refresh`
   */
  async getAccessToken(id: number): Promise<string> {
    const token = await this.load(id);
    const isValid = token.expiresAt.getTime() > Date.now() + EXPIRY_MARGIN_MS;
    return this.encryption.decryptAccessToken(isValid ? token : await this.refresh(id));
  }

  /**
   * Runs `work` with an access token. One that became void early is refreshed once, and `work` is repeated. After that
   * the connection works or reports that it must be reconnected.
   * @throws AppError as `refresh`, and errors of `work` other than a refusal
   */
  async runWithAccessToken<Result>(id: number, work: (accessToken: string) => Promise<Result>): Promise<Result> {
    try {
      return await work(await this.getAccessToken(id));
    } catch (error) {
      if (!(error instanceof UpworkError) || error.kind !== 'refused') throw error;
      await this.refresh(id);
      return work(await this.getAccessToken(id));
    }
  }

  /**
   * Returns the connection if it was just refreshed; undefined when the caller must wait or claim again. Throws if it
   * failed.
   */
  private async findSettled(id: number): Promise<UserToken | undefined> {
    const token = await this.load(id);
    if (token.isLeased) return undefined;
    if (token.status === 'reconnect_needed') throw buildReconnectError(token);
    if (token.isBackingOff) throw buildRefreshError(token);
    return token.isRecentlyRefreshed ? token : undefined;
  }

  private async load(id: number): Promise<TokenWithRefreshState> {
    const [token] = await this.database.query<TokenWithRefreshState>(READ_WITH_REFRESH_STATE, [
      id,
      RECENT_REFRESH_SECONDS,
    ]);
    if (!token) throw new AppError('token.not_found');
    return token;
  }

  private async refreshUnderLease(token: UserToken, owner: string): Promise<UserToken> {
    const leaseEndsAt = performance.now() + LEASE_SECONDS * 1_000;
    let pair: GrantedTokens;
    let refreshToken: string;
    try {
      refreshToken = await this.encryption.decryptRefreshToken(token);
      pair = await this.upwork.refresh(refreshToken);
    } catch (error) {
      const failure = await this.recordFailure(token, owner, error);
      throw error instanceof KeyServiceUnavailable ? error : failure;
    }
    const { expiresAt, scopes = null } = pair;
    const encrypted = await this.encryption.encrypt(token.userId, {
      accessToken: pair.accessToken,
      refreshToken: pair.refreshToken ?? refreshToken,
    });
    const values = [
      token.id,
      owner,
      encrypted.sealKey,
      encrypted.encryptedAccessToken,
      encrypted.encryptedRefreshToken,
      expiresAt,
      scopes,
    ];
    const stored = await this.store(values, leaseEndsAt);
    if (stored) return stored;
    this.logger.warn(`connection ${token.id}: the lease was lost during the call; the new tokens are not stored`);
    throw new AppError('token.refresh_failed', {
      detail: 'The connection was replaced or removed during the refresh.',
    });
  }

  /** Stores the new pair. Repeats a failed store until the lease ends, because the stored pair is void. */
  private async store(values: readonly unknown[], until: number): Promise<UserToken | undefined> {
    for (;;) {
      try {
        const [stored] = await this.database.query<UserToken>(STORE_REFRESHED, values);
        return stored;
      } catch (error) {
        if (performance.now() > until) throw error;
        this.logger.warn(`connection ${String(values[0])}: the new tokens are not stored yet. ${String(error)}`);
        await sleep(STORE_INTERVAL_MS);
      }
    }
  }

  /** Records the failure; the pair does not change. */
  private async recordFailure(token: UserToken, owner: string, error: unknown): Promise<Error> {
    const isExpired = error instanceof UpworkError && error.isGrantRefused && isRested(token);
    const isRefusal = isExpired || (error instanceof UpworkError && error.kind === 'refused');
    const message = describeFailure(error) + (isExpired ? REST_CURE : '');
    if (!(error instanceof UpworkError)) this.logger.error(`connection ${token.id}: ${String(error)}`);
    const status = isRefusal ? 'reconnect_needed' : 'failing';
    const retryAfterMs = error instanceof UpworkError ? error.retryAfterMs : undefined;
    const seconds = computeBackOffSeconds(token.failedRefreshes, retryAfterMs);
    const [recorded] = await this.database.query<UserToken>(RECORD_REFRESH_FAILURE, [
      token.id,
      owner,
      status,
      message,
      seconds,
    ]);
    const failed = recorded ?? { ...token, lastError: message };
    return isRefusal ? buildReconnectError(failed) : buildRefreshError(failed);
  }
}

const REST_CURE = '. The connection was unused for two weeks. Connect Upwork again.';

/** Returns whether the last success is so old that any refusal means that the refresh token is void. */
function isRested({ lastRefreshedAt, createdAt }: UserToken): boolean {
  return (lastRefreshedAt ?? createdAt).getTime() < Date.now() - MAX_REST_MS;
}

function describeFailure(error: unknown): string {
  if (error instanceof UpworkError || error instanceof AppError) return error.message;
  return 'The stored tokens cannot be used';
}

function buildReconnectError({ lastError }: Pick<UserToken, 'lastError'>): AppError {
  return new AppError('token.reconnect_needed', {
    detail: `The provider no longer accepts this connection (${lastError ?? 'refused'}). Reconnect.`,
  });
}

function buildRefreshError({ lastError, nextRefreshAt }: Pick<UserToken, 'lastError' | 'nextRefreshAt'>): AppError {
  const retryAfterSeconds = Math.ceil(((nextRefreshAt?.getTime() ?? 0) - Date.now()) / 1_000);
  return new AppError('token.refresh_failed', {
    detail: `${lastError ?? 'The provider did not answer'}. The refresh is retried automatically.`,
    headers: { 'retry-after': String(Math.max(1, retryAfterSeconds)) },
  });
}
