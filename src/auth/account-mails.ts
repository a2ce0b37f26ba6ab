import type { Mail } from '../platform/mail/mail';

/** What the letters of sign-in need to know of the installation. */
export interface MailContext {
  /** Address of the installation, without a slash at its end. */
  readonly publicUrl: string;
}

/** How long a verification link is good. */
export const VERIFICATION_SECONDS = 24 * 60 * 60;

/** The letter that verifies an address. */
export function verificationMail({ publicUrl }: MailContext, to: string, token: string): Mail {
  return {
    to,
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
