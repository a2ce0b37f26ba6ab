import { Injectable } from '@nestjs/common';
import { currentContext } from '../../platform/context/request-context';
import { EncryptionService } from '../../platform/encryption/encryption.service';
import type { EncryptionContext } from '../../platform/encryption/ciphertext';
import { AppError } from '../../platform/errors/app-error';
import { AccessTokensService, RefreshTokensService } from '../access-tokens/access-tokens.service';
import type { Credentials } from '../accounts/accounts.service';
import { AccountNotificationsService } from '../accounts/account-notifications.service';
import { SecurityEventsService } from '../security-events/security-events.service';
import { SessionsService } from './sessions.service';

/** The tokens of a sign-in or refresh. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Lifetime of the access token in seconds. */
  readonly expiresIn: number;
}

/** The verified account data that a new session needs. */
export type VerifiedCredentials = Pick<Credentials, 'userId' | 'role' | 'readAt' | 'totpEnabled'>;

/** Starts sessions and refreshes their tokens. */
@Injectable()
export class SessionTokensService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokensService,
    private readonly refreshTokens: RefreshTokensService,
    private readonly encryption: EncryptionService,
    private readonly events: SecurityEventsService,
    private readonly notifications: AccountNotificationsService,
  ) {}

  /**
   * Starts a session for verified credentials and returns its id and tokens. Ends the oldest sessions beyond the limit.
   * Side effects: the event `auth.session_ended` for each of these.
   */
  async begin({
    userId,
    role,
    readAt,
    totpEnabled,
  }: VerifiedCredentials): Promise<{ sessionId: string; tokens: TokenPair }> {
    const context = currentContext();
    const sessionId = this.sessions.generateId();
    const refresh = this.refreshTokens.issue(sessionId);
    const ended = await this.sessions.begin(sessionId, {
      userId,
      role,
      verifiedAt: readAt,
      hasMfa: totpEnabled,
      refreshHash: refresh.hash,
      device: context?.userAgent ?? null,
      ip: context?.ip ?? null,
    });
    for (const oldest of ended) {
      await this.events.record('auth.session_ended', {
        success: true,
        userId,
        sessionId: oldest,
        reason: 'too many sessions',
      });
    }
    return { sessionId, tokens: this.buildPair(userId, sessionId, refresh.token) };
  }

  /**
   * Exchanges a refresh token for a new pair; a parallel use within 10 s gets the same pair. A later reuse ends the
   * session: somebody else may have the token. Session: none. Side effects: events `auth.refresh`,
   * `auth.refresh_reused`.
   * @throws AppError `auth.refresh_token_invalid`, `service.unavailable`
   */
  async refresh(presented: string): Promise<TokenPair> {
    const claim = this.refreshTokens.verify(presented);
    const session = claim && (await this.sessions.findLive(claim.sessionId));
    if (!claim || !session) return this.rejectRefresh('unknown token or session', session?.userId);
    const { id: sessionId, userId } = session;
    const refresh = this.refreshTokens.issue(sessionId);
    const encryptionContext = buildPairEncryptionContext(userId, claim.hash);
    const pair = await this.encryption.seal(
      JSON.stringify(this.buildPair(userId, sessionId, refresh.token)),
      encryptionContext,
    );
    const result = await this.sessions.rotate(sessionId, claim.hash, { hash: refresh.hash, pair });
    if ('pair' in result) {
      await this.events.record('auth.refresh', { success: true, userId, sessionId, reason: result.outcome });
      return JSON.parse(await this.encryption.open(result.pair, encryptionContext)) as TokenPair;
    }
    if (result.outcome === 'reused') {
      await this.sessions.end(userId, sessionId);
      await this.events.record('auth.refresh_reused', { success: false, userId, sessionId });
      await this.notifications.send(userId, 'refresh-token-reused');
    }
    return this.rejectRefresh(result.outcome, userId);
  }

  private async rejectRefresh(reason: string, userId?: number): Promise<never> {
    await this.events.record('auth.refresh', { success: false, userId, reason });
    throw new AppError('auth.refresh_token_invalid');
  }

  private buildPair(userId: number, sessionId: string, refreshToken: string): TokenPair {
    const accessToken = this.accessTokens.sign('access', { userId, sessionId });
    return { accessToken, refreshToken, expiresIn: this.accessTokens.lifetimeSeconds };
  }
}

/** Returns the encryption context of a pair in Redis, which must not contain usable tokens. */
function buildPairEncryptionContext(userId: number, presentedHash: string): EncryptionContext {
  return { table: 'redis', column: 'session-pair', userId, sealKey: presentedHash };
}
