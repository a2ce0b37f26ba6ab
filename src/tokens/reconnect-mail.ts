import type { Mail } from '../platform/mail/mail';

/** Tells the owner of a connection that only he can mend it. */
export function reconnectMail(publicUrl: string, to: string, provider: string): Mail {
  const name = provider.charAt(0).toUpperCase() + provider.slice(1);
  return {
    to,
    subject: `Connect Gigvault to ${name} anew`,
    text: [
      `${name} no longer accepts the connection you gave Gigvault, so vacancies, proposals and messages are not synchronised.`,
      '',
      `Nothing you have here is lost. Sign in and connect ${name} again, and it goes on where it stopped:`,
      publicUrl,
      '',
      'You get this letter once for this connection.',
    ].join('\n'),
  };
}
