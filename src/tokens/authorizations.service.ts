import type { OrganizationDto } from './connection-details.dto';
import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { currentPrincipal } from '../platform/http/access/access';
import { EncryptionService } from '../platform/encryption/encryption.service';
import type { EncryptionContext } from '../platform/encryption/ciphertext';
import { AppError } from '../platform/errors/app-error';
import { RedisClients } from '../platform/redis/redis-clients';
import { UpworkError } from '../upwork/upwork.error';
import { UpworkOAuthService } from '../upwork/upwork-oauth.service';
import { type AuthorizationDto, type CallbackDto, type TokenDto } from './tokens.dto';
import { TokensService } from './tokens.service';
import { UpworkAccountService } from './upwork-account.service';

/** Lifetime of a state; leaves time to sign in at Upwork. */
const LIFETIME_SECONDS = 600;

/** Pending authorization, as stored in Redis. */
interface PendingAuthorization {
  readonly userId: number;
  readonly sessionId: string;
  /** PKCE verifier, encrypted: data in Redis alone cannot complete an authorization. */
  readonly sealedVerifier: string;
}

/**
 * Creates connections by OAuth. A state can be used once, within ten minutes, and only in the session that started it.
 * Otherwise a link sent to a victim could attach the victim's account to the sender, or the sender's account to the
 * victim.
 * @see RFC 6749 section 10.12; RFC 9700 section 4.7
 */
@Injectable()
export class AuthorizationsService {
  private readonly logger = new Logger(AuthorizationsService.name);

  constructor(
    private readonly redis: RedisClients,
    private readonly encryption: EncryptionService,
    private readonly upwork: UpworkOAuthService,
    private readonly account: UpworkAccountService,
    private readonly tokens: TokensService,
  ) {}

  /** Starts an authorization for the signed-in user and their session. @throws AppError `upwork.not_configured` */
  async begin(): Promise<AuthorizationDto> {
    const { userId, sessionId } = currentPrincipal();
    const { url, state, verifier } = await this.upwork.begin();
    const key = buildKey(state);
    const sealedVerifier = await this.encryption.seal(verifier, buildEncryptionContext(userId, key));
    const pending: PendingAuthorization = { userId, sessionId, sealedVerifier };
    await this.redis.commands.set(key, JSON.stringify(pending), 'EX', LIFETIME_SECONDS);
    return { url, expiresAt: new Date(Date.now() + LIFETIME_SECONDS * 1_000) };
  }

  /**
   * Completes an authorization: exchanges its code and stores the connection. Session: user; the provider is called
   * outside any unit of work. One audit row.
   * @throws AppError `token.state_invalid` for a state that is unknown, used, expired or of another session;
   *   `token.authorization_denied`, `upwork.unavailable`
   */
  async complete({ state, code, error }: CallbackDto): Promise<{ token: TokenDto; isNew: boolean }> {
    const { userId, sessionId } = currentPrincipal();
    const key = buildKey(state);
    const pending = await this.takePending(key);
    if (pending?.userId !== userId || pending.sessionId !== sessionId) throw new AppError('token.state_invalid');
    if (code === undefined) throw buildDeniedError(error ?? 'Upwork returned no code');
    const verifier = await this.encryption.open(pending.sealedVerifier, buildEncryptionContext(userId, key));
    const pair = await this.upwork.exchange(code, { state, verifier }).catch((reason: unknown) => {
      throw toAppError(reason);
    });
    if (pair.refreshToken === undefined) throw buildDeniedError('Upwork returned no refresh token');
    const { accessToken, refreshToken, expiresAt, scopes } = pair;
    const organizations = await this.listOrganizations(userId, accessToken);
    const connectedIds = await this.tokens.listOrganizationIds();
    const organizationId = (organizations ? selectVendor(organizations, connectedIds)?.id : connectedIds[0]) ?? null;
    const tokens = { accessToken, refreshToken, expiresAt, scopes };
    return this.tokens.store({ provider: 'upwork', ...tokens, organizationId, organizations });
  }

  /** Returns the pending authorization and removes it, so that its state is used once. */
  private async takePending(key: string): Promise<PendingAuthorization | undefined> {
    // GETDEL needs Redis 6.2.
    const results = await this.redis.commands.multi().get(key).del(key).exec();
    const text = results?.[0]?.[1];
    return typeof text === 'string' ? (JSON.parse(text) as PendingAuthorization) : undefined;
  }

  /**
   * Lists the organizations of the user; null when they cannot be read. No failure may end the authorization: its code
   * is used, and the tokens would be lost.
   */
  private async listOrganizations(userId: number, accessToken: string): Promise<OrganizationDto[] | null> {
    try {
      return await this.account.listOrganizations({ userId, accessToken, organizationId: null });
    } catch (error) {
      this.logger.warn(`user ${userId}: the organizations of a new connection cannot be read. ${String(error)}`);
      return null;
    }
  }
}

/**
 * Selects the organization for which a new connection works. One of an earlier connection wins, because its user may
 * have chosen it; then the freelancer's own, then an agency. A client has no proposals. Without one, Upwork chooses.
 */
function selectVendor(
  organizations: readonly OrganizationDto[],
  connectedIds: readonly string[],
): OrganizationDto | undefined {
  const vendors = organizations.filter(({ type }) => type !== 'client');
  return (
    vendors.find(({ id }) => connectedIds.includes(id)) ??
    vendors.find(({ type }) => type === 'freelancer') ??
    vendors[0]
  );
}

/** Builds the Redis key from a hash: the state itself would be half of what a callback needs. */
function buildKey(state: string): string {
  return `upwork-authorization:${createHash('sha256').update(state).digest('base64url')}`;
}

function buildEncryptionContext(userId: number, key: string): EncryptionContext {
  return { table: 'redis', column: 'upwork-authorization', userId, sealKey: key };
}

function buildDeniedError(reason: string): AppError {
  return new AppError('token.authorization_denied', { detail: reason.replace(/[^\w .-]/g, '').slice(0, 200) });
}

function toAppError(error: unknown): unknown {
  if (!(error instanceof UpworkError)) return error;
  if (!error.isTransient) return buildDeniedError(error.message);
  const seconds = Math.max(5, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
  return new AppError('upwork.unavailable', {
    detail: error.message,
    headers: { 'retry-after': String(seconds) },
    cause: error,
  });
}
