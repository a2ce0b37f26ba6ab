import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../platform/database/database';
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
 * Returns how long to wait after another failure, in seconds: 30, 60, 120, … up to ten minutes, less up to a fifth so
 * that many do not come back at once; never less than the provider asked for.
 */
export function computeBackOffSeconds(failuresBefore: number, retryAfterMs = 0): number {
  const doubled = Math.min(FIRST_BACK_OFF_SECONDS * 2 ** Math.min(failuresBefore, 20), MAX_BACK_OFF_SECONDS);
  return Math.max(doubled * (1 - Math.random() / 5), retryAfterMs / 1_000);
}

/** Longer than the call of the provider may take. */
const LEASE_SECONDS = 30;

/** A refresh so young serves whoever asks for one now. */
const RECENT_REFRESH_SECONDS = 10;

/** How long others wait for the one who calls, and how often they look. */
const MAX_WAIT_MS = 10_000;
const POLL_INTERVAL_MS = 150;

/** An access token is not used in its last minutes: a call takes time, and clocks differ. */
const EXPIRY_MARGIN_MS = 120_000;

/**
 * Refreshes connections, one caller at a time over all processes. The provider rotates its tokens: the second of two
 * parallel refreshes would be refused, and a good pair lost. So whoever refreshes first takes a lease in a short
 * transaction, calls the provider with none open, and stores the answer only while the lease is his. All others wait for
 * his result.
 *
 * What is not an answer never changes the pair. When a caller dies between the provider's answer and the store, the pair
 * is void and nobody knows it: the next one, after the lease, is refused for good, and the owner is told to connect anew.
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
   * Refreshes the tenant's connection, or waits for whoever does, and returns it as it is then; a refresh within the last
   * 10 s serves. Session: user; short units of its own, none open while the provider is called. One audit row.
   * @throws AppError `token.not_found`, `token.reconnect_needed`, `token.refresh_failed`, `token.refresh_running` after 10 s
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
   * Returns an access token of the tenant's connection that is good for some minutes, refreshed when need be.
   * @throws AppError as `refresh`
   */
  async getAccessToken(id: number): Promise<string> {
    const token = await this.load(id);
    const isGood = token.expiresAt.getTime() > Date.now() + EXPIRY_MARGIN_MS;
    return this.encryption.decryptAccessToken(isGood ? token : await this.refresh(id));
  }

  /** The connection when there is nothing to wait for; undefined while somebody refreshes it. */
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
    let pair: GrantedTokens;
    let refreshToken: string;
    try {
      refreshToken = await this.encryption.decryptRefreshToken(token);
      pair = await this.upwork.refresh(refreshToken);
    } catch (error) {
      throw await this.recordFailure(token, owner, error);
    }
    const { expiresAt, scopes = null } = pair;
    const sealed = await this.encryption.encrypt(token.userId, {
      accessToken: pair.accessToken,
      refreshToken: pair.refreshToken ?? refreshToken,
    });
    const values = [
      token.id,
      owner,
      sealed.sealKey,
      sealed.encryptedAccessToken,
      sealed.encryptedRefreshToken,
      expiresAt,
      scopes,
    ];
    const [stored] = await this.database.query<UserToken>(STORE_REFRESHED, values);
    if (stored) return stored;
    this.logger.warn(`connection ${token.id}: the lease was lost during the call; what came back is not stored`);
    throw new AppError('token.refresh_failed', { detail: 'the connection was replaced or removed meanwhile' });
  }

  /** Writes down what went wrong; the pair stays. */
  private async recordFailure(token: UserToken, owner: string, error: unknown): Promise<Error> {
    const isRefusal = error instanceof UpworkError && error.kind === 'refused';
    const message =
      error instanceof UpworkError || error instanceof AppError ? error.message : 'the stored pair cannot be used';
    if (!(error instanceof UpworkError)) this.logger.error(`connection ${token.id}: ${String(error)}`);
    const status = isRefusal ? 'reconnect_needed' : 'failing';
    const pauseMs = error instanceof UpworkError ? error.retryAfterMs : undefined;
    const seconds = computeBackOffSeconds(token.failedRefreshes, pauseMs);
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

function buildReconnectError({ lastError }: Pick<UserToken, 'lastError'>): AppError {
  return new AppError('token.reconnect_needed', {
    detail: `Connect anew; the provider no longer accepts us (${lastError ?? 'refused'}).`,
  });
}

function buildRefreshError({ lastError, nextRefreshAt }: Pick<UserToken, 'lastError' | 'nextRefreshAt'>): AppError {
  const pauseSeconds = Math.ceil(((nextRefreshAt?.getTime() ?? 0) - Date.now()) / 1_000);
  return new AppError('token.refresh_failed', {
    detail: `${lastError ?? 'the provider did not answer'}; it is tried again`,
    headers: { 'retry-after': String(Math.max(1, pauseSeconds)) },
  });
}
