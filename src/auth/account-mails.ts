import type { Mail, OutgoingMail } from '../platform/mail/mail';

/** What the letters of sign-in need to know of the installation. */
export interface MailContext {
  /** Address of the installation, without a slash at its end. */
  readonly publicUrl: string;
}

/** How long a verification link is good. */
export const VERIFICATION_SECONDS = 24 * 60 * 60;

/** The letter that verifies an address. */
export function verificationMail({ publicUrl }: MailContext, to: string, token: string): OutgoingMail {
  return {
    to,
    validForSeconds: VERIFICATION_SECONDS,
    subject: 'Confirm your e-mail address',
    text: `Welcome to Gigvault.

Open this link within 24 hours to confirm your e-mail address:

${publicUrl}/verify-email?token=${token}

If you did not sign up, ignore this letter: without the link nothing happens.
`,
  };
}

/** The letter to an owner whose address somebody registers again. */
export function alreadyRegisteredMail({ publicUrl }: MailContext, to: string): Mail {
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
export const RESET_SECONDS = 30 * 60;

/** The letter that lets an owner set a new password. */
export function resetMail({ publicUrl }: MailContext, to: string, token: string): OutgoingMail {
  return {
    to,
    validForSeconds: RESET_SECONDS,
    subject: 'Set a new password',
    text: `Open this link within 30 minutes to set a new password:

${publicUrl}/reset-password?token=${token}

If you did not ask for it, ignore this letter: your password stays as it is.
`,
  };
}

/** What an owner is told of after it happened. */
export type Notice =
  | 'password-changed'
  | 'refresh-token-reused'
  | 'mfa-enabled'
  | 'mfa-disabled'
  | 'mfa-reset'
  | 'sessions-ended'
  | 'backup-codes-replaced';

const NOTICES: Readonly<Record<Notice, { subject: string; what: string }>> = {
  'password-changed': {
    subject: 'Your password was changed',
    what: 'The password of your account was changed, and your other sessions were ended.',
  },
  'refresh-token-reused': {
    subject: 'A session of yours was ended',
    what: 'A refresh token of one of your sessions was used twice, so somebody may have a copy of it. We ended that session.',
  },
  'mfa-enabled': {
    subject: 'Two-factor sign-in was turned on',
    what: 'Signing in to your account now takes a code of your authenticator.',
  },
  'mfa-disabled': {
    subject: 'Two-factor sign-in was turned off',
    what: 'Signing in to your account takes the password alone now.',
  },
  'mfa-reset': {
    subject: 'Two-factor sign-in was turned off by an admin',
    what: 'An admin took the second factor of your account away and ended your sessions. Signing in takes the password alone now; set up your authenticator again.',
  },
  'sessions-ended': {
    subject: 'Your sessions were ended by an admin',
    what: 'An admin ended all sessions of your account. Sign in again; your password is as it was.',
  },
  'backup-codes-replaced': {
    subject: 'You have new backup codes',
    what: 'New backup codes were made for your account; the old ones are dead.',
  },
};

/** The letter that tells an owner of a change of his account, so that he notices one he did not make. */
export function noticeMail({ publicUrl }: MailContext, to: string, notice: Notice): Mail {
  const { subject, what } = NOTICES[notice];
  return {
    to,
    subject,
    text: `${what}

If it was you, there is nothing to do. If not, ask for a new password at ${publicUrl} at once and end your sessions.
`,
  };
}

/** What the letter about an erasure tells. */
export interface ErasureFacts {
  readonly userId: number;
  readonly erasedAt: Date;
  readonly backupsHoldItUntil: Date;
}

/** The last letter to somebody who has left. */
export function erasureMail(to: string, { userId, erasedAt, backupsHoldItUntil }: ErasureFacts): Mail {
  return {
    to,
    subject: 'Your account was erased',
    text: `Your account, number ${userId}, was erased on ${erasedAt.toISOString()} with all that belonged to it, after its password
was confirmed. This cannot be undone.

Older backups hold it until ${backupsHoldItUntil.toISOString()}; they are read only to repair the server.
`,
  };
}
