import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error';
import { normalEmail } from '../platform/mail/email';
import { AccountsService, type Credentials } from './accounts/accounts.service';
import { PendingSignInsService } from './mfa/pending-sign-ins.service';
import { PasswordsService } from './passwords/passwords.service';
import { SecurityEventsService } from './security-events/security-events.service';
import { SessionTokensService, type TokenPair } from './sessions/session-tokens.service';
import { LoginThrottleService } from './login-throttle/login-throttle.service';

/** The response to the right password of an account with a second factor. */
export interface MfaChallenge {
  readonly mfaRequired: true;
  readonly mfaToken: string;
}

/** Signs users in by password. */
@Injectable()
export class SignInService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly throttle: LoginThrottleService,
    private readonly tokens: SessionTokensService,
    private readonly pending: PendingSignInsService,
    private readonly events: SecurityEventsService,
  ) {}

  /**
   * Starts a session, or requests the second factor. An unknown address costs the same hashes, statements and Redis
   * calls as a wrong password and gets the same response. Session: none. Side effects: the event `auth.login`.
   * @throws AppError `auth.credentials_invalid`; `auth.email_not_verified` only with the right password;
   *   `auth.throttled`, `rate.too_many_at_once`
   */
  async login(given: string, password: string): Promise<TokenPair | MfaChallenge> {
    const email = normalEmail(given);
    const account = await this.verifyCredentials(email, password);
    if (account.totpEnabled) {
      const mfaToken = await this.pending.create(account);
      await this.events.record('auth.login', { success: true, userId: account.userId, reason: 'a code must follow' });
      return { mfaRequired: true, mfaToken };
    }
    const { sessionId, tokens } = await this.tokens.begin(account);
    await this.throttle.rememberDevice(email);
    await this.events.record('auth.login', { success: true, userId: account.userId, sessionId });
    return tokens;
  }

  /** Returns the account if the password is right and the account may sign in. */
  private async verifyCredentials(email: string, password: string): Promise<Credentials> {
    const attempt = await this.recordAttempt(email);
    const account = await this.accounts.findCredentials(email);
    const isRight = await this.passwords
      .verify(password, account?.encryptedPassword, email)
      .catch(async (error: unknown) => {
        // The password was not checked, so the attempt did not fail.
        await this.throttle.clearAttempt(attempt);
        throw error;
      });
    const refusal = findRefusal(account, isRight);
    if (isRight) await this.throttle.clearAttempt(attempt);
    if (account && !refusal) {
      await this.rehashIfOutdated(account, email, password);
      return account;
    }
    await this.events.record('auth.login', { success: false, userId: account?.userId, email, reason: refusal?.reason });
    throw new AppError(refusal?.code ?? 'auth.credentials_invalid');
  }

  private async recordAttempt(email: string) {
    try {
      return await this.throttle.recordSignInAttempt(email);
    } catch (error) {
      await this.events.record('auth.login', { success: false, email, reason: 'throttled' });
      throw error;
    }
  }

  /** Hashes the password again if the cost was raised: only a sign-in knows the password. */
  private async rehashIfOutdated(
    { userId, encryptedPassword }: Credentials,
    email: string,
    password: string,
  ): Promise<void> {
    if (!this.passwords.isOutdated(encryptedPassword)) return;
    await this.accounts.rehashPassword(userId, encryptedPassword, await this.passwords.hash(password, email));
  }
}

/** Returns why an account may not sign in. Only a caller with the right password learns of an unverified address. */
function findRefusal(
  account: Credentials | null,
  isRight: boolean,
): { code: 'auth.credentials_invalid' | 'auth.email_not_verified'; reason: string } | undefined {
  if (!account) return { code: 'auth.credentials_invalid', reason: 'unknown address' };
  if (!isRight) return { code: 'auth.credentials_invalid', reason: 'wrong password' };
  if (!account.isActive) return { code: 'auth.credentials_invalid', reason: 'deactivated' };
  if (!account.isVerified) return { code: 'auth.email_not_verified', reason: 'not verified' };
  return undefined;
}
