import { Injectable } from '@nestjs/common';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { AppError, invalidValue } from '../../platform/errors/app-error';
import { AccountsService } from '../accounts/accounts.service';
import { SecurityEventsService } from '../security-events/security-events.service';
import { SessionTokensService, type TokenPair } from '../sessions/session-tokens.service';
import { LoginThrottleService } from '../login-throttle/login-throttle.service';
import { PendingSignInsService, type PendingSignIn } from './pending-sign-ins.service';
import { SecondFactorService, type SecondFactorCode } from './mfa.service';

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
