import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';
import { normalEmail } from '../../platform/mail/email';
import { MailerService } from '../../platform/mail/mailer.service';
import {
  buildAlreadyRegisteredEmail,
  VERIFICATION_LINK_SECONDS,
  buildVerificationEmail,
} from './account-notifications.service';
import { AccountsService, generateOneTimeToken, hashOneTimeToken, type PendingVerification } from './accounts.service';
import { assertPasswordAllowed } from '../passwords/password-policy';
import { PasswordsService } from '../passwords/passwords.service';
import { SecurityEventsService } from '../security-events/security-events.service';
import { LoginThrottleService } from '../login-throttle/login-throttle.service';

/** The data of a sign-up. */
export interface SignUpRequest {
  readonly email: string;
  readonly password: string;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
}

/**
 * Registers accounts and verifies their addresses. The response is the same for known and unknown addresses, and so is
 * the work: the same number of hashes, statements and emails.
 */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly mailer: MailerService,
    private readonly events: SecurityEventsService,
    private readonly throttle: LoginThrottleService,
    private readonly config: Config,
  ) {}

  /**
   * Creates an unverified account; the owner of a registered address gets an email about the attempt instead. Session:
   * none. Side effects: an email, the event `auth.register`.
   * @throws AppError `auth.registration_closed`, `password.unfit`, `auth.throttled`, `rate.too_many_at_once`
   */
  async register({ email: given, password, firstName, lastName }: SignUpRequest): Promise<void> {
    if (!this.config.auth.isRegistrationOpen) {
      throw new AppError('auth.registration_closed', {
        detail: 'Ask the administrator of this installation to open registration.',
      });
    }
    const email = normalEmail(given);
    assertPasswordAllowed(password, { email, firstName, lastName });
    await this.throttle.countRegistration();
    const encryptedPassword = await this.passwords.hash(password, email);
    const { token, hash: tokenHash } = generateOneTimeToken();
    const { userId, emailTo, isRegistered, isRepeated } = await this.accounts.register({
      email,
      encryptedPassword,
      firstName: firstName ?? null,
      lastName: lastName ?? null,
      tokenHash,
      tokenSeconds: VERIFICATION_LINK_SECONDS,
    });
    const isDecoy = !(await this.throttle.countEmail(email));
    const { http } = this.config;
    await this.mailer.send(
      isRegistered
        ? buildAlreadyRegisteredEmail(http, emailTo)
        : buildVerificationEmail(http, emailTo, token, isRepeated ? 'repeated' : 'first'),
      { isDecoy },
    );
    await this.events.record('auth.register', {
      success: !isRegistered,
      userId,
      ...(isRegistered && { reason: 'known address' }),
    });
  }

  /**
   * Sends another verification link, which sets a new password, if there is an account to verify. Session: none. Side
   * effects: an email, the event `auth.verify_email_resend`.
   */
  async resendVerification(given: string): Promise<void> {
    const email = normalEmail(given);
    const { token, hash: tokenHash } = generateOneTimeToken();
    const issued = await this.accounts.issueToken({
      email,
      purpose: 'verify_email',
      tokenHash,
      tokenSeconds: VERIFICATION_LINK_SECONDS,
    });
    const isEmailAllowed = await this.throttle.countEmail(email);
    await this.mailer.send(buildVerificationEmail(this.config.http, issued?.emailTo ?? email, token, 'resent'), {
      isDecoy: issued === null || !isEmailAllowed,
    });
    await this.events.record('auth.verify_email_resend', { success: issued !== null, userId: issued?.userId, email });
  }

  /**
   * Consumes the token of a verification link; the account may sign in from then on. The password must be that of the
   * link's own registration, so nobody who registers the same address chooses the owner's password. A resent link
   * belongs to no registration and sets the password, as a reset does. Session: none. Side effects: the event
   * `auth.verify_email`.
   * @throws AppError `auth.link_invalid` for a token that is unknown, used or older than 24 hours;
   *   `auth.credentials_invalid`, `password.unfit`, `auth.throttled`, `rate.too_many_at_once`
   */
  async verifyEmail(token: string, password: string): Promise<void> {
    const tokenHash = hashOneTimeToken(token);
    const pending = await this.accounts.findVerification(tokenHash);
    // A guessed token costs no hash.
    const userId =
      pending && (await this.accounts.verifyEmail(tokenHash, await this.resolvePassword(pending, password)));
    await this.events.record('auth.verify_email', { success: userId !== null, userId });
    if (userId === null) throw new AppError('auth.link_invalid');
  }

  /** Returns the hash of the password that a link may set. */
  private async resolvePassword(pending: PendingVerification, password: string): Promise<string> {
    const { userId, email, encryptedPassword } = pending;
    if (encryptedPassword === null) {
      assertPasswordAllowed(password, pending);
      return this.passwords.hash(password, email);
    }
    const isRight = await this.throttle.countFailure('password', userId, () =>
      this.passwords.verify(password, encryptedPassword, email),
    );
    if (isRight) return encryptedPassword;
    await this.events.record('auth.verify_email', { success: false, userId, reason: 'wrong password' });
    throw new AppError('auth.credentials_invalid', { detail: OTHER_REGISTRATION });
  }
}

const OTHER_REGISTRATION =
  'The link belongs to a registration with another password. Open the link of your own registration, or request a ' +
  'new one with POST /v1/auth/verify-email/resend, which sets a new password.';
