import type { Mail } from '../platform/mail/mail';

/** Something out of the ordinary, as app.watch_access() found it. */
export interface AccessAlert {
  readonly id: number;
  readonly kind: 'failure_burst' | 'address_sweep' | 'new_device' | 'far_addresses';
  readonly ipAddress: string | null;
  readonly details: Readonly<Record<string, string | number | null>>;
  readonly createdAt: Date;
}

interface Words {
  readonly subject: string;
  readonly what: (alert: AccessAlert) => string;
  readonly whatToDo: string;
}

const IF_NOT_YOU =
  'If it was you, there is nothing to do. If not: set a new password at once, end your other sessions (DELETE /v1/auth/sessions) and turn on two-factor sign-in.';

const WORDS: Readonly<Record<AccessAlert['kind'], Words>> = {
  failure_burst: {
    subject: 'Somebody tries to sign in to your account',
    what: ({ details }) =>
      `${details.failures} sign-ins to your account failed within minutes, from ${details.addresses} addresses.`,
    whatToDo:
      'If it was you, there is nothing to do. If not: nobody got in by these, and further tries are slowed down. Make sure that your password is used nowhere else, and turn on two-factor sign-in.',
  },
  address_sweep: {
    subject: 'One address tries many accounts',
    what: ({ details, ipAddress }) =>
      `${details.failures} sign-ins to ${details.accounts} accounts failed within minutes, all from ${ipAddress}.`,
    whatToDo:
      'You get this letter as an admin. Further tries from there are slowed down. Look at GET /v1/admin/security-logs?ipAddress=… for sign-ins that succeeded, end the sessions of those accounts, and block the address before the server.',
  },
  new_device: {
    subject: 'A new device signed in to your account',
    what: ({ details, ipAddress }) =>
      `A device or place not seen before signed in to your account: ${details.device ?? 'unknown'}, from ${ipAddress}.`,
    whatToDo: IF_NOT_YOU,
  },
  far_addresses: {
    subject: 'Your account is used in two places at once',
    what: ({ details, ipAddress }) =>
      `Within ten minutes your account was used from ${details.otherAddress} and from ${ipAddress}, which are of different networks. A change from home to mobile network looks like that, and so does a thief.`,
    whatToDo: IF_NOT_YOU,
  },
};

/** What an alert says in one sentence. */
export function accessAlertText(alert: AccessAlert): string {
  return WORDS[alert.kind].what(alert);
}

/** What whoever is told should do. */
export function accessAlertAdvice({ kind }: AccessAlert): string {
  return WORDS[kind].whatToDo;
}

/** The letter about an alert, with what to do. */
export function accessAlertMail(publicUrl: string, to: string, alert: AccessAlert): Mail {
  return {
    to,
    subject: WORDS[alert.kind].subject,
    text: `${accessAlertText(alert)}
Found on ${alert.createdAt.toISOString()} at ${publicUrl}.

${accessAlertAdvice(alert)}
`,
  };
}
