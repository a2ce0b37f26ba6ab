import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { currentPrincipal } from '../auth/principal';
import { EncryptionService } from '../platform/encryption/encryption.service';
import type { SealContext } from '../platform/encryption/seal-context';
import { AppError } from '../platform/errors/app-error';
import { RedisClients } from '../platform/redis/redis-clients';
import { UpworkError } from '../upwork/upwork.error';
import { COMPANY_SELECTOR } from '../upwork/upwork.documents';
import { UpworkClient } from '../upwork/upwork-client.service';
import { UpworkOAuth } from '../upwork/upwork-oauth.service';
import type { AuthorizationDto } from './dto/authorization.dto';
import type { CallbackDto } from './dto/callback.dto';
import type { TokenDto } from './dto/token.dto';
import { TokensService } from './tokens.service';

/** Long enough to sign in at Upwork on the way. */
const LIFE_SECONDS = 600;

/** What is kept of an authorization under way. */
interface Kept {
  readonly userId: number;
  readonly sessionId: string;
  /** The PKCE verifier, sealed: nothing in Redis may complete an authorization. */
  readonly sealedVerifier: string;
}

/**
 * Makes connections by OAuth. A state is good once, for ten minutes, and only in the session that began it: were it good
 * in another, a link sent to a victim would attach his account to the sender's, or the sender's to his.
 * @see RFC 6749 section 10.12; RFC 9700 section 4.7
 */
@Injectable()
export class Authorizations {
  constructor(
    private readonly redis: RedisClients,
    private readonly encryption: EncryptionService,
    private readonly upwork: UpworkOAuth,
    private readonly client: UpworkClient,
    private readonly tokens: TokensService,
  ) {}

  /** Begins an authorization of the signed-in user in his session. @throws AppError `upwork.not_configured` */
  async begin(): Promise<AuthorizationDto> {
    const { userId, sessionId } = currentPrincipal();
    const { url, state, verifier } = await this.upwork.begin();
    const key = keyOf(state);
    const sealedVerifier = await this.encryption.seal(verifier, placeOf(userId, key));
    const kept: Kept = { userId, sessionId, sealedVerifier };
    await this.redis.commands.set(key, JSON.stringify(kept), 'EX', LIFE_SECONDS);
    return { url, expiresAt: new Date(Date.now() + LIFE_SECONDS * 1_000) };
  }

  /**
   * Ends an authorization: exchanges its code and stores the connection. Session: user; the provider is called outside of
   * any unit. One audit row.
   * @throws AppError `token.state_invalid` for a state that is unknown, used, expired or of another session;
   *   `token.authorization_denied`, `upwork.unavailable`
   */
  async complete({ state, code, error }: CallbackDto): Promise<{ token: TokenDto; isNew: boolean }> {
    const { userId, sessionId } = currentPrincipal();
    const key = keyOf(state);
    const text = await this.redis.commands.getdel(key);
    const kept = text === null ? undefined : (JSON.parse(text) as Kept);
    if (kept?.userId !== userId || kept.sessionId !== sessionId) throw new AppError('token.state_invalid');
    if (code === undefined) throw denied(error ?? 'no code came back');
    const verifier = await this.encryption.open(kept.sealedVerifier, placeOf(userId, key));
    const pair = await this.upwork.exchange(code, { state, verifier }).catch((reason: unknown) => {
      throw asAppError(reason);
    });
    if (pair.refreshToken === undefined) throw denied('it came without a refresh token');
    const { accessToken, refreshToken, expiresAt, scopes } = pair;
    const organizationId = await this.organizationOf(userId, accessToken);
    return this.tokens.store({ provider: 'upwork', accessToken, refreshToken, expiresAt, organizationId, scopes });
  }

  /** The first organization Upwork offers, which is the freelancer's own. */
  private async organizationOf(userId: number, accessToken: string): Promise<string | null> {
    const caller = { userId, accessToken, organizationId: null };
    const answer = await this.client.call(COMPANY_SELECTOR, {}, caller).catch((reason: unknown) => {
      throw asAppError(reason);
    });
    return answer.companySelector.items[0]?.organizationId ?? null;
  }
}

/** The state itself would be half of what a callback needs; its hash finds it as well. */
function keyOf(state: string): string {
  return `upwork-authorization:${createHash('sha256').update(state).digest('base64url')}`;
}

function placeOf(userId: number, key: string): SealContext {
  return { table: 'redis', column: 'upwork-authorization', userId, sealKey: key };
}

function denied(reason: string): AppError {
  return new AppError('token.authorization_denied', { detail: reason.replace(/[^\w .-]/g, '').slice(0, 200) });
}

function asAppError(error: unknown): unknown {
  if (!(error instanceof UpworkError)) return error;
  if (error.kind === 'refused' || error.kind === 'unusable') return denied(error.message);
  const seconds = Math.max(5, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
  return new AppError('upwork.unavailable', {
    detail: error.message,
    headers: { 'retry-after': String(seconds) },
    cause: error,
  });
}
