import { Injectable } from '@nestjs/common';
import { currentContext } from '../platform/context/request-context';
import { AppError } from '../platform/errors/app-error';
import { Accounts, type Credentials } from './accounts.service';
import { normalEmail } from './email-address';
import { Passwords } from './passwords.service';
import { RefreshTokens } from './refresh-tokens.service';
import { SecurityEvents } from './security-events.service';
import { SessionTokens, type TokenPair } from './session-tokens.service';
import { SessionsService } from './sessions.service';

/** Signing in by password, and out. */
@Injectable()
export class SignInService {
  constructor(
    private readonly accounts: Accounts,
    private readonly passwords: Passwords,
    private readonly sessions: SessionsService,
    private readonly tokens: SessionTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Begins a session for who knows the password. An unknown address costs the same hashes and statements as a wrong
   * password and gets the same answer. Session: none. Side effects: the event `auth.login`.
   * @throws AppError `auth.credentials_invalid`; `auth.email_not_verified` only with the right password; `rate.limited`
   */
  async login(given: string, password: string): Promise<TokenPair> {
    const email = normalEmail(given);
    const account = await this.accounts.findCredentials(email);
    const isRight = await this.passwords.verify(password, account?.encryptedPassword);
    const refusal = refusalOf(account, isRight);
    if (!account || refusal) {
      await this.events.record('auth.login', { success: false, userId: account?.userId, email, reason: refusal?.reason });
      throw new AppError(refusal?.code ?? 'auth.credentials_invalid');
    }
    const { sessionId, tokens } = await this.tokens.begin(account);
    await this.events.record('auth.login', { success: true, userId: account.userId, sessionId });
    return tokens;
  }

  /**
   * Ends the session of the request, and with its refresh token also the session of that, if it is the same user's.
   * Session: user. Side effects: the event `auth.logout`.
   */
  async logout(refreshToken?: string): Promise<void> {
    const principal = currentContext()?.principal;
    if (!principal) throw new AppError('auth.session_missing');
    const { userId, sessionId } = principal;
    const other = refreshToken === undefined ? null : this.refreshTokens.read(refreshToken);
    await this.sessions.end(userId, sessionId);
    if (other && other.sessionId !== sessionId) await this.sessions.end(userId, other.sessionId);
    await this.events.record('auth.logout', { success: true, userId, sessionId });
  }
}

/** Why an account may not sign in, or undefined. Only the right password learns that the address is not verified. */
function refusalOf(
  account: Credentials | null,
  isRight: boolean,
): { code: 'auth.credentials_invalid' | 'auth.email_not_verified'; reason: string } | undefined {
  if (!account) return { code: 'auth.credentials_invalid', reason: 'unknown address' };
  if (!isRight) return { code: 'auth.credentials_invalid', reason: 'wrong password' };
  if (!account.isActive) return { code: 'auth.credentials_invalid', reason: 'deactivated' };
  if (!account.isVerified) return { code: 'auth.email_not_verified', reason: 'not verified' };
  return undefined;
}
