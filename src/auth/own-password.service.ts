import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { AppError } from '../platform/errors/app-error';
import { normalEmail } from '../platform/mail/email-address';
import { Mailer } from '../platform/mail/mailer.service';
import { RESET_SECONDS, resetMail } from './account-mails';
import { Accounts } from './accounts.service';
import { Notices } from './notices.service';
import { hashOneTimeToken, newOneTimeToken } from './one-time-token';
import { OwnSessions } from './own-sessions.service';
import { OwnerCheck } from './owner-check.service';
import { assertPasswordFits } from './password-policy';
import { Passwords } from './passwords.service';
import { currentPrincipal } from './principal';
import { SecurityEvents } from './security-events.service';
import { SessionsService } from './sessions.service';
import { Throttle } from './throttle.service';

/** How long a step-up lasts. */
const FRESH_MS = 10 * 60 * 1000;

/** Changing, forgetting, resetting and confirming one's password. */
@Injectable()
export class OwnPassword {
  constructor(
    private readonly accounts: Accounts,
    private readonly passwords: Passwords,
    private readonly owner: OwnerCheck,
    private readonly sessions: SessionsService,
    private readonly ownSessions: OwnSessions,
    private readonly mailer: Mailer,
    private readonly notices: Notices,
    private readonly throttle: Throttle,
    private readonly events: SecurityEvents,
    private readonly config: Config,
  ) {}

  /**
   * Changes the password and ends the other sessions, for good. Session: user. Side effects: a letter to the owner, the
   * event `auth.password_change`.
   * @throws AppError `password.unfit`, those of `OwnerCheck.password`
   */
  async change(currentPassword: string, newPassword: string): Promise<void> {
    const { userId } = currentPrincipal();
    const account = await this.owner.password(currentPassword).catch(async (error: unknown) => {
      await this.events.record('auth.password_change', { success: false, userId });
      throw error;
    });
    assertPasswordFits(newPassword, account, '/newPassword');
    const validFrom = await this.accounts.setPassword(userId, await this.passwords.hash(newPassword, account.email));
    await this.ownSessions.keepOnlyCurrent(validFrom);
    await this.events.record('auth.password_change', { success: true, userId });
    await this.notices.send(userId, 'password-changed');
  }

  /**
   * Mails a reset link, if there is an account; the work and the answer are the same if not. Session: none. Side effects:
   * the event `auth.password_forgot`.
   */
  async forgot(given: string): Promise<void> {
    const email = normalEmail(given);
    const { token, hash: tokenHash } = newOneTimeToken();
    const request = { email, purpose: 'reset_password', tokenHash, tokenSeconds: RESET_SECONDS } as const;
    const issued = await this.accounts.issueToken(request);
    const mayMail = await this.throttle.mayMail(email);
    await this.mailer.send(resetMail(this.config.http, issued?.mailTo ?? email, token), {
      isDecoy: issued === null || !mayMail,
    });
    await this.events.record('auth.password_forgot', { success: issued !== null, userId: issued?.userId, email });
  }

  /**
   * Sets a new password by a mailed token and ends all sessions, for good. Nobody is signed in by it, so a second factor
   * is still asked for. Session: none. Side effects: a letter to the owner, the event `auth.password_reset`.
   * @throws AppError `auth.link_invalid`, `password.unfit`, `rate.too_many_at_once`
   */
  async reset(token: string, password: string): Promise<void> {
    const tokenHash = hashOneTimeToken(token);
    const owner = await this.accounts.findReset(tokenHash);
    if (owner) assertPasswordFits(password, owner);
    // A guess is not worth a hash.
    const userId =
      owner && (await this.accounts.resetPassword(tokenHash, await this.passwords.hash(password, owner.email)));
    await this.events.record('auth.password_reset', { success: userId !== null, userId });
    if (userId === null) throw new AppError('auth.link_invalid');
    await this.sessions.endAll(userId);
    await this.notices.send(userId, 'password-changed');
  }

  /**
   * Marks the session as freshly confirmed for 10 minutes. Session: user. Side effects: the event `auth.step_up`.
   * @throws AppError those of `OwnerCheck.passwordAndCode`
   */
  async stepUp(password: string, code: string | undefined): Promise<void> {
    const { userId, sessionId } = currentPrincipal();
    await this.owner.passwordAndCode(password, code).catch(async (error: unknown) => {
      await this.events.record('auth.step_up', { success: false, userId, sessionId });
      throw error;
    });
    await this.keepFresh(sessionId);
    await this.events.record('auth.step_up', { success: true, userId, sessionId });
  }

  /** Marks a session as freshly confirmed, for a caller that has just seen password and code. Session: none. */
  async keepFresh(sessionId: string): Promise<void> {
    await this.sessions.markFresh(sessionId, new Date(Date.now() + FRESH_MS));
  }
}
