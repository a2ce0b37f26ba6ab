import type { Email, OutgoingEmail } from '../../platform/mail/email';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { MailerService } from '../../platform/mail/mailer.service';
import { AccountsService } from './accounts.service';

/** The settings of the installation that emails contain. */
export interface EmailContext {
  /** Public URL without a trailing slash. */
  readonly publicUrl: string;
}

/** Lifetime of a verification link. */
export const VERIFICATION_LINK_SECONDS = 24 * 60 * 60;

/** Texts of a verification email: of the first registration of an address, of another one, and of a resent link. */
const VERIFICATION_ADVICE = {
  first: 'Confirm with the password that you signed up with.',
  repeated: `This address was registered more than once. Each link works only with the password of its own registration.
Confirm with the password that you signed up with. If it is refused, somebody else made this registration.`,
  resent: 'Choose the password of your account there.',
} as const;

/** Builds the email with a verification link. */
export function buildVerificationEmail(
  { publicUrl }: EmailContext,
  to: string,
  token: string,
  kind: keyof typeof VERIFICATION_ADVICE,
): OutgoingEmail {
  return {
    to,
    validForSeconds: VERIFICATION_LINK_SECONDS,
    subject: 'Confirm your email address',
    text: `Welcome to Gigvault.

Open this link within 24 hours to confirm your email address:

${publicUrl}/verify-email?token=${token}

${VERIFICATION_ADVICE[kind]}

If you did not sign up, ignore this email. Nothing happens unless the address is confirmed.
`,
  };
}

/** Builds the email to the owner of an account whose address is registered again. */
export function buildAlreadyRegisteredEmail({ publicUrl }: EmailContext, to: string): Email {
  return {
    to,
    subject: 'You already have an account',
    text: `\
Somebody, perhaps you, tried to sign up at Gigvault with this address. You already have an account. It was not
changed.

Sign in at ${publicUrl}. If you have forgotten the password, reset it there.
`,
  };
}

/** Lifetime of a reset link. */
export const RESET_LINK_SECONDS = 30 * 60;

/** Builds the email with a reset link. */
export function buildPasswordResetEmail({ publicUrl }: EmailContext, to: string, token: string): OutgoingEmail {
  return {
    to,
    validForSeconds: RESET_LINK_SECONDS,
    subject: 'Set a new password',
    text: `Open this link within 30 minutes to set a new password:

${publicUrl}/reset-password?token=${token}

If you did not request this, ignore this email. Your password does not change.
`,
  };
}

/** The changes that owners are notified about. */
export type AccountNotification =
  | 'password-changed'
  | 'refresh-token-reused'
  | 'mfa-enabled'
  | 'mfa-disabled'
  | 'mfa-reset'
  | 'sessions-ended'
  | 'backup-codes-replaced';

const NOTIFICATION_TEXTS: Readonly<Record<AccountNotification, { subject: string; message: string }>> = {
  'password-changed': {
    subject: 'Your password was changed',
    message: 'The password of your account was changed, and your other sessions were ended.',
  },
  'refresh-token-reused': {
    subject: 'One of your sessions was ended',
    message:
      'A refresh token of one of your sessions was used twice. ' +
      'Somebody may have a copy of it, so that session was ended.',
  },
  'mfa-enabled': {
    subject: 'Two-factor sign-in was turned on',
    message: 'Signing in to your account now requires a code from your authenticator.',
  },
  'mfa-disabled': {
    subject: 'Two-factor sign-in was turned off',
    message: 'Signing in to your account now requires the password only.',
  },
  'mfa-reset': {
    subject: 'Two-factor sign-in was turned off by an admin',
    message:
      'An admin removed the second factor of your account and ended your sessions. Signing in now requires the ' +
      'password only. Set up your authenticator again.',
  },
  'sessions-ended': {
    subject: 'Your sessions were ended by an admin',
    message: 'An admin ended all sessions of your account. Sign in again. Your password did not change.',
  },
  'backup-codes-replaced': {
    subject: 'You have new backup codes',
    message: 'New backup codes were created for your account. The old codes no longer work.',
  },
};

/** Builds the email about a change of an account, so that owners notice changes they did not make. */
export function buildNotificationEmail(
  { publicUrl }: EmailContext,
  to: string,
  notification: AccountNotification,
): Email {
  const { subject, message } = NOTIFICATION_TEXTS[notification];
  return {
    to,
    subject,
    text: `${message}

If it was you, no action is needed. If not, reset your password at ${publicUrl} at once and end your sessions.
`,
  };
}

/** The facts in the email about an erasure. */
export interface ErasureDetails {
  readonly userId: number;
  readonly erasedAt: Date;
  readonly backupsHoldItUntil: Date;
}

/** Builds the last email to the owner of an erased account. */
export function buildErasureEmail(to: string, { userId, erasedAt, backupsHoldItUntil }: ErasureDetails): Email {
  return {
    to,
    subject: 'Your account was erased',
    text: `\
Your account, number ${userId}, was erased on ${erasedAt.toISOString()} with all its data, after its password was
confirmed. This cannot be undone.

Older backups contain it until ${backupsHoldItUntil.toISOString()}. They are read only to repair the server.
`,
  };
}

/** Emails owners about changes of their accounts. */
@Injectable()
export class AccountNotificationsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly mailer: MailerService,
    private readonly config: Config,
  ) {}

  /** Emails the owner, unless the account was erased. Must not run inside a unit of work. */
  async send(userId: number, notification: AccountNotification): Promise<void> {
    const account = await this.accounts.findAccount(userId);
    if (account) await this.mailer.send(buildNotificationEmail(this.config.http, account.email, notification));
  }

  /** Emails the former owner of an erased account. Must not run inside a unit of work. */
  async sendErasure(email: string, facts: ErasureDetails): Promise<void> {
    await this.mailer.send(buildErasureEmail(email, facts));
  }
}
