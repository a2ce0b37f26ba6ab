import { Injectable } from '@nestjs/common';
import { AppError, invalidValue } from '../platform/errors/app-error';
import { normalEmail } from '../platform/mail/email';
import { AccountsService, type Credentials } from './accounts/accounts.service';
import { PasswordsService } from './passwords/passwords.service';
import { SecurityEventsService } from './security-events/security-events.service';
import { SessionTokensService, type TokenPair, type VerifiedCredentials } from './sessions/session-tokens.service';
import { LoginThrottleService } from './login-throttle/login-throttle.service';
import { randomBytes } from 'node:crypto';
import { RedisClients } from '../platform/redis/redis-clients';
import { AccessTokensService } from './access-tokens/access-tokens.service';
import { currentContext, runInContext } from '../platform/context/request-context';
import { SecondFactorService, type SecondFactorCode } from './mfa/mfa.service';

/** Time between password and code. */
const LIFETIME_SECONDS = 300;

const ID_BYTES = 16;

/** A sign-in with the right password that waits for its code. */
export interface PendingSignIn {
  readonly id: string;
  readonly credentials: VerifiedCredentials;
}

/** Stores sign-ins between password and code for five minutes; each starts at most one session. */
@Injectable()
export class PendingSignInsService {
  constructor(
    private readonly redis: RedisClients,
    private readonly tokens: AccessTokensService,
  ) {}

  /** Stores a pending sign-in and returns its token, which is valid for the second step only. */
  async create({ userId, role, readAt }: Credentials): Promise<string> {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const value = JSON.stringify({ userId, role, readAt: readAt.getTime() });
    await this.redis.commands.set(buildKey(id), value, 'EX', LIFETIME_SECONDS);
    return this.tokens.sign('mfa', { userId, sessionId: id }, LIFETIME_SECONDS);
  }

  /** Returns the sign-in of a token; null when it has ended or the token is invalid. */
  async find(token: string): Promise<PendingSignIn | null> {
    const subject = this.tokens.verify('mfa', token);
    const text = subject && (await this.redis.commands.get(buildKey(subject.sessionId)));
    if (!text) return null;
    const { userId, role, readAt } = JSON.parse(text) as { userId: number; role: 'user' | 'admin'; readAt: number };
    if (userId !== subject.userId) return null;
    return { id: subject.sessionId, credentials: { userId, role, readAt: new Date(readAt), totpEnabled: true } };
  }

  /** Removes a pending sign-in; returns false when another request removed it first. */
  async remove(id: string): Promise<boolean> {
    return (await this.redis.commands.del(buildKey(id))) === 1;
  }
}

function buildKey(id: string): string {
  return `mfa-pending:${id}`;
}

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

const MFA_TOKEN_USED = 'The mfaToken was used or has expired. Sign in with the password again.';

/** Completes sign-ins with the second factor. */
@Injectable()
export class SignInMfaService {
  constructor(
    private readonly pending: PendingSignInsService,
    private readonly secondFactor: SecondFactorService,
    private readonly tokens: SessionTokensService,
    private readonly accounts: AccountsService,
    private readonly throttle: LoginThrottleService,
    private readonly events: SecurityEventsService,
  ) {}

  /**
   * Consumes a code and starts the session of a pending sign-in, once. Session: none; the code is checked as its
   * tenant. Side effects: the event `auth.login_mfa`.
   * @throws AppError `validation.failed` unless one of the two codes is given, `auth.token_invalid`,
   *   `auth.code_invalid`, `auth.throttled`
   */
  async complete(mfaToken: string, codes: { code?: string; backupCode?: string }): Promise<TokenPair> {
    const given = selectCode(codes);
    const signIn = await this.pending.find(mfaToken);
    if (!signIn) throw new AppError('auth.token_invalid', { detail: MFA_TOKEN_USED });
    const { userId } = signIn.credentials;
    const isValid = await this.runAsUser(signIn, () => this.secondFactor.consumeCode(given));
    const kind = 'code' in given ? 'code' : 'backup code';
    if (!isValid) {
      await this.events.record('auth.login_mfa', { success: false, userId, reason: `wrong ${kind}` });
      throw new AppError('auth.code_invalid');
    }
    if (!(await this.pending.remove(signIn.id))) throw new AppError('auth.token_invalid', { detail: MFA_TOKEN_USED });
    const { sessionId, tokens } = await this.tokens.begin(signIn.credentials);
    const account = await this.accounts.findAccount(userId);
    if (account) await this.throttle.rememberDevice(account.email);
    await this.events.record('auth.login_mfa', { success: true, userId, sessionId, reason: kind });
    return tokens;
  }

  /** Runs one statement as the tenant: the password was right, but there is no session yet. */
  private runAsUser<T>({ id, credentials: { userId, role } }: PendingSignIn, work: () => Promise<T>): Promise<T> {
    const context = currentContext();
    if (!context) throw new Error('a sign-in needs a request context');
    return runInContext({ ...context, principal: { userId, role, sessionId: id } }, work);
  }
}

function selectCode({ code, backupCode }: { code?: string; backupCode?: string }): SecondFactorCode {
  if (code !== undefined && backupCode === undefined) return { code };
  if (backupCode !== undefined && code === undefined) return { backupCode };
  throw invalidValue('/code', 'one_of', 'send either code or backupCode');
}
