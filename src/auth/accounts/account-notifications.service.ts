import type { Email, OutgoingEmail } from '../../platform/mail/email';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { MailerService } from '../../platform/mail/mailer.service';
import { AccountsService } from './accounts.service';

/** What the letters of sign-in need to know of the installation. */
export interface EmailContext {
  /** Address of the installation, without a slash at its end. */
  readonly publicUrl: string;
}

/** How long a verification link is good. */
export const VERIFICATION_LINK_SECONDS = 24 * 60 * 60;

/** The letter that verifies an address. */
export function buildVerificationEmail({ publicUrl }: EmailContext, to: string, token: string): OutgoingEmail {
  return {
    to,
    validForSeconds: VERIFICATION_LINK_SECONDS,
    subject: 'Confirm your e-mail address',
    text: `Welcome to Gigvault.

Open this link within 24 hours to confirm your e-mail address:

${publicUrl}/verify-email?token=${token}

If you did not sign up, ignore this letter: without the link nothing happens.
`,
  };
}

/** The letter to an owner whose address somebody registers again. */
export function buildAlreadyRegisteredEmail({ publicUrl }: EmailContext, to: string): Email {
  return {
    to,
    subject: 'You have an account already',
    text: `Somebody, perhaps you, tried to sign up at Gigvault with this address. You have an account already; nothing was
changed in it.

Sign in with it at ${publicUrl}; if you have forgotten the password, ask there for a new one.
`,
  };
}

/** How long a reset link is good. */
export const RESET_LINK_SECONDS = 30 * 60;

/** The letter that lets an owner set a new password. */
export function buildPasswordResetEmail({ publicUrl }: EmailContext, to: string, token: string): OutgoingEmail {
  return {
    to,
    validForSeconds: RESET_LINK_SECONDS,
    subject: 'Set a new password',
    text: `Open this link within 30 minutes to set a new password:

${publicUrl}/reset-password?token=${token}

If you did not ask for it, ignore this letter: your password stays as it is.
`,
  };
}

/** What an owner is told of after it happened. */
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
    subject: 'A session of yours was ended',
    message:
      'A refresh token of one of your sessions was used twice, so somebody may have a copy of it. We ended that session.',
  },
  'mfa-enabled': {
    subject: 'Two-factor sign-in was turned on',
    message: 'Signing in to your account now takes a code of your authenticator.',
  },
  'mfa-disabled': {
    subject: 'Two-factor sign-in was turned off',
    message: 'Signing in to your account takes the password alone now.',
  },
  'mfa-reset': {
    subject: 'Two-factor sign-in was turned off by an admin',
    message:
      'An admin took the second factor of your account away and ended your sessions. Signing in takes the password alone now; set up your authenticator again.',
  },
  'sessions-ended': {
    subject: 'Your sessions were ended by an admin',
    message: 'An admin ended all sessions of your account. Sign in again; your password is as it was.',
  },
  'backup-codes-replaced': {
    subject: 'You have new backup codes',
    message: 'New backup codes were made for your account; the old ones are dead.',
  },
};

/** The letter that tells an owner of a change of his account, so that he notices one he did not make. */
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

If it was you, there is nothing to do. If not, ask for a new password at ${publicUrl} at once and end your sessions.
`,
  };
}

/** What the letter about an erasure tells. */
export interface ErasureDetails {
  readonly userId: number;
  readonly erasedAt: Date;
  readonly backupsHoldItUntil: Date;
}

/** The last letter to somebody who has left. */
export function buildErasureEmail(to: string, { userId, erasedAt, backupsHoldItUntil }: ErasureDetails): Email {
  return {
    to,
    subject: 'Your account was erased',
    text: `Your account, number ${userId}, was erased on ${erasedAt.toISOString()} with all that belonged to it, after its password
was confirmed. This cannot be undone.

Older backups hold it until ${backupsHoldItUntil.toISOString()}; they are read only to repair the server.
`,
  };
}

/** Tells owners by mail what happened to their accounts. */
@Injectable()
export class AccountNotificationsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly mailer: MailerService,
    private readonly config: Config,
  ) {}

  /** Sends a notice to the owner, unless the account is gone. Never inside a unit of work. */
  async send(userId: number, notification: AccountNotification): Promise<void> {
    const account = await this.accounts.findAccount(userId);
    if (account) await this.mailer.send(buildNotificationEmail(this.config.http, account.email, notification));
  }

  /** Tells somebody whose account is gone that it is. Never inside a unit of work. */
  async sendErasure(email: string, facts: ErasureDetails): Promise<void> {
    await this.mailer.send(buildErasureEmail(email, facts));
  }
}
