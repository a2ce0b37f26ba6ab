import type { Mail } from '../platform/mail/mail';
import type { TakenDelivery } from './deliveries.queries';

interface Matches {
  readonly searches: readonly { readonly name: string; readonly newMatches: number }[];
}

/** Returns an alert as a letter. @throws Error for a type of event that is never mailed */
export function alertMail({ eventType, payload, email: to }: TakenDelivery, publicUrl: string): Mail {
  switch (eventType) {
    case 'saved_search.matched': {
      const { searches } = payload as unknown as Matches;
      const lines = searches.map(({ name, newMatches }) => `${name}: ${newMatches}`);
      return {
        to,
        subject: 'New vacancies for your saved searches',
        text: [...lines, '', `See them at ${publicUrl}`].join('\n'),
      };
    }
    case 'connection.reconnect_needed':
      return reconnectMail(to, String(payload['provider']), publicUrl);
    default:
      throw new Error(`no letter tells of ${eventType}`);
  }
}

/** Tells the owner of a connection that only he can mend it. */
function reconnectMail(to: string, provider: string, publicUrl: string): Mail {
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
