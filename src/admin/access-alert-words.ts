import type { ShownAlert } from './access-alerts.service';

interface Words {
  readonly what: (alert: ShownAlert) => string;
  readonly whatToDo: string;
}

const IF_IN_DOUBT =
  'The user got an email with what to do. If they do not know this sign-in: end their sessions, or lock them out until they have set a new password.';

/** What an alert says to the admin who reads it; the emails to users say it in their own words. */
const WORDS: Readonly<Record<ShownAlert['kind'], Words>> = {
  failure_burst: {
    what: ({ details }) =>
      `${countOf(details['failures'], 'sign-in')} to the account of this user failed within minutes, from ${countOf(details['addresses'], 'address')}.`,
    whatToDo: 'Nobody got in by these, and further attempts are slowed down. The user got an email.',
  },
  address_sweep: {
    what: ({ details, ipAddress }) =>
      `${countOf(details['failures'], 'sign-in')} to ${countOf(details['accounts'], 'account')} failed within minutes, all from ${ipAddress}.`,
    whatToDo:
      'Further attempts from there are slowed down. Look for sign-ins from this address that succeeded, end the sessions of those users, and block the address in front of the server.',
  },
  new_device: {
    what: ({ details, ipAddress }) =>
      `A device or place not seen before signed in to the account of this user: ${details['device'] ?? 'unknown'}, from ${ipAddress}.`,
    whatToDo: IF_IN_DOUBT,
  },
  far_addresses: {
    what: ({ details, ipAddress }) =>
      `Within ten minutes the account of this user was used from ${details['otherAddress']} and from ${ipAddress}, which are in different networks.`,
    whatToDo: IF_IN_DOUBT,
  },
};

/** Returns what an alert says, in a sentence. */
export function adminAlertText(alert: ShownAlert): string {
  return WORDS[alert.kind].what(alert);
}

/** Returns what an admin can do about it. */
export function adminAlertAdvice({ kind }: ShownAlert): string {
  return WORDS[kind].whatToDo;
}

function countOf(value: string | number | null | undefined, noun: string): string {
  const plural = noun.endsWith('s') ? `${noun}es` : `${noun}s`;
  return `${value ?? 'several'} ${Number(value) === 1 ? noun : plural}`;
}
