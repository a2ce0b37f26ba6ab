import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { AppError } from '../platform/errors/app-error';
import { normalEmail } from '../platform/mail/email';
import { MailerService } from '../platform/mail/mailer.service';
import {
  AccountNotificationsService,
  buildPasswordResetEmail,
  RESET_LINK_SECONDS,
} from './accounts/account-notifications.service';
import { AccountsService, generateOneTimeToken, hashOneTimeToken } from './accounts/accounts.service';
import { AccountSessionsService } from './sessions/account-sessions.service';
import { ReauthenticationService } from './mfa/mfa.service';
import { assertPasswordAllowed } from './passwords/password-policy';
import { PasswordsService } from './passwords/passwords.service';
import { currentPrincipal } from '../platform/http/access/access';
import { SecurityEventsService } from './security-events/security-events.service';
import { SessionsService } from './sessions/sessions.service';
import { LoginThrottleService } from './login-throttle/login-throttle.service';

/** Duration of a step-up. */
const STEP_UP_MS = 10 * 60 * 1000;

/** Changes, resets and confirms the password of an account. */
@Injectable()
export class AccountPasswordService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly reauthentication: ReauthenticationService,
    private readonly sessions: SessionsService,
    private readonly accountSessions: AccountSessionsService,
    private readonly mailer: MailerService,
    private readonly notifications: AccountNotificationsService,
    private readonly throttle: LoginThrottleService,
    private readonly events: SecurityEventsService,
    private readonly config: Config,
  ) {}

  /**
   * Changes the password and ends the other sessions. Session: user. Side effects: an email to the owner, the event
   * `auth.password_change`.
   * @throws AppError `password.unfit`, those of `ReauthenticationService.checkPassword`
   */
  async change(currentPassword: string, newPassword: string): Promise<void> {
    const { userId } = currentPrincipal();
    const account = await this.reauthentication.checkPassword(currentPassword).catch(async (error: unknown) => {
      await this.events.record('auth.password_change', { success: false, userId });
      throw error;
    });
    assertPasswordAllowed(newPassword, account, '/newPassword');
    const validFrom = await this.accounts.setPassword(userId, await this.passwords.hash(newPassword, account.email));
    await this.accountSessions.endAllButCurrent(validFrom);
    await this.events.record('auth.password_change', { success: true, userId });
    await this.notifications.send(userId, 'password-changed');
  }

  /**
   * Emails a reset link if the account exists; the work and the response are the same if not. Session: none. Side
   * effects: the event `auth.password_forgot`.
   */
  async requestReset(given: string): Promise<void> {
    const email = normalEmail(given);
    const { token, hash: tokenHash } = generateOneTimeToken();
    const request = { email, purpose: 'reset_password', tokenHash, tokenSeconds: RESET_LINK_SECONDS } as const;
    const issued = await this.accounts.issueToken(request);
    const isEmailAllowed = await this.throttle.countEmail(email);
    await this.mailer.send(buildPasswordResetEmail(this.config.http, issued?.emailTo ?? email, token), {
      isDecoy: issued === null || !isEmailAllowed,
    });
    await this.events.record('auth.password_forgot', { success: issued !== null, userId: issued?.userId, email });
  }

  /**
   * Sets a new password with the token of a reset link and ends all sessions. Starts no session, so that the second
   * factor is still required. Session: none. Side effects: an email to the owner, the event `auth.password_reset`.
   * @throws AppError `auth.link_invalid`, `password.unfit`, `rate.too_many_at_once`
   */
  async reset(token: string, password: string): Promise<void> {
    const tokenHash = hashOneTimeToken(token);
    const owner = await this.accounts.findPasswordReset(tokenHash);
    if (owner) assertPasswordAllowed(password, owner);
    // A guessed token costs no hash.
    const userId =
      owner && (await this.accounts.resetPassword(tokenHash, await this.passwords.hash(password, owner.email)));
    await this.events.record('auth.password_reset', { success: userId !== null, userId });
    if (userId === null) throw new AppError('auth.link_invalid');
    await this.sessions.endAll(userId);
    await this.notifications.send(userId, 'password-changed');
  }

  /**
   * Re-authenticates the session for 10 minutes. Session: user. Side effects: the event `auth.step_up`.
   * @throws AppError those of `ReauthenticationService.checkPasswordAndCode`
   */
  async stepUp(password: string, code: string | undefined): Promise<void> {
    const { userId, sessionId } = currentPrincipal();
    await this.reauthentication.checkPasswordAndCode(password, code).catch(async (error: unknown) => {
      await this.events.record('auth.step_up', { success: false, userId, sessionId });
      throw error;
    });
    await this.recordStepUp(sessionId);
    await this.events.record('auth.step_up', { success: true, userId, sessionId });
  }

  /** Marks a session as re-authenticated. The caller has just checked password and code. Session: none. */
  async recordStepUp(sessionId: string): Promise<void> {
    await this.sessions.markStepUp(sessionId, new Date(Date.now() + STEP_UP_MS));
  }
}
