import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { UpworkError } from '../upwork/upwork.error';
import { UpworkOAuth, type GrantedPair } from '../upwork/upwork-oauth.service';
import { backOffSeconds } from './back-off';
import { CLAIM_LEASE, NOTE_FAILURE, READ_JUDGED, STORE_REFRESHED, type JudgedToken } from './tokens.queries';
import { TokenVault } from './token-vault.service';
import type { UserToken } from './user-token.entity';

/** Longer than the call of the provider may take. */
const LEASE_SECONDS = 30;

/** A refresh so young serves whoever asks for one now. */
const FRESH_SECONDS = 10;

/** How long others wait for the one who calls, and how often they look. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 150;

/** An access token is not used in its last minutes: a call takes time, and clocks differ. */
const MARGIN_MS = 120_000;

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
export class TokenRefresher {
  private readonly logger = new Logger(TokenRefresher.name);

  constructor(
    private readonly database: Database,
    private readonly vault: TokenVault,
    private readonly upwork: UpworkOAuth,
  ) {}

  /**
   * Refreshes the tenant's connection, or waits for whoever does, and returns it as it is then; a refresh within the last
   * 10 s serves. Session: user; short units of its own, none open while the provider is called. One audit row.
   * @throws AppError `token.not_found`, `token.reconnect_needed`, `token.refresh_failed`, `token.refresh_running` after 10 s
   */
  async refresh(id: number): Promise<UserToken> {
    const until = Date.now() + PATIENCE_MS;
    const owner = randomUUID();
    for (;;) {
      const [claimed] = await this.database.query<UserToken>(CLAIM_LEASE, [id, owner, LEASE_SECONDS, FRESH_SECONDS]);
      if (claimed) return this.call(claimed, owner);
      const settled = await this.settled(id);
      if (settled) return settled;
      if (Date.now() > until) throw new AppError('token.refresh_running', { headers: { 'retry-after': '5' } });
      await sleep(LOOK_EVERY_MS * (0.5 + Math.random()));
    }
  }

  /**
   * Returns an access token of the tenant's connection that is good for some minutes, refreshed when need be.
   * @throws AppError as `refresh`
   */
  async accessToken(id: number): Promise<string> {
    const token = await this.read(id);
    const isGood = token.expiresAt.getTime() > Date.now() + MARGIN_MS;
    return this.vault.openAccessToken(isGood ? token : await this.refresh(id));
  }

  /** The connection when there is nothing to wait for; undefined while somebody refreshes it. */
  private async settled(id: number): Promise<UserToken | undefined> {
    const token = await this.read(id);
    if (token.isLeased) return undefined;
    if (token.status === 'reconnect_needed') throw reconnectNeeded(token);
    if (token.isResting) throw refreshFailed(token);
    return token.isFresh ? token : undefined;
  }

  private async read(id: number): Promise<JudgedToken> {
    const [token] = await this.database.query<JudgedToken>(READ_JUDGED, [id, FRESH_SECONDS]);
    if (!token) throw new AppError('token.not_found');
    return token;
  }

  private async call(token: UserToken, owner: string): Promise<UserToken> {
    let pair: GrantedPair;
    let refreshToken: string;
    try {
      refreshToken = await this.vault.openRefreshToken(token);
      pair = await this.upwork.refresh(refreshToken);
    } catch (error) {
      throw await this.fail(token, owner, error);
    }
    const { expiresAt, scopes = null } = pair;
    const sealed = await this.vault.seal(token.userId, {
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
  private async fail(token: UserToken, owner: string, error: unknown): Promise<Error> {
    const isRefusal = error instanceof UpworkError && error.kind === 'refused';
    const message =
      error instanceof UpworkError || error instanceof AppError ? error.message : 'the stored pair cannot be used';
    if (!(error instanceof UpworkError)) this.logger.error(`connection ${token.id}: ${String(error)}`);
    const status = isRefusal ? 'reconnect_needed' : 'failing';
    const pauseMs = error instanceof UpworkError ? error.retryAfterMs : undefined;
    const seconds = backOffSeconds(token.failedRefreshes, pauseMs);
    const [noted] = await this.database.query<UserToken>(NOTE_FAILURE, [token.id, owner, status, message, seconds]);
    const failed = noted ?? { ...token, lastError: message };
    return isRefusal ? reconnectNeeded(failed) : refreshFailed(failed);
  }
}

function reconnectNeeded({ lastError }: Pick<UserToken, 'lastError'>): AppError {
  return new AppError('token.reconnect_needed', {
    detail: `Connect anew; the provider no longer accepts us (${lastError ?? 'refused'}).`,
  });
}

function refreshFailed({ lastError, nextRefreshAt }: Pick<UserToken, 'lastError' | 'nextRefreshAt'>): AppError {
  const pauseSeconds = Math.ceil(((nextRefreshAt?.getTime() ?? 0) - Date.now()) / 1_000);
  return new AppError('token.refresh_failed', {
    detail: `${lastError ?? 'the provider did not answer'}; it is tried again`,
    headers: { 'retry-after': String(Math.max(1, pauseSeconds)) },
  });
}
