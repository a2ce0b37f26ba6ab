import type { Email } from '../../platform/mail/email';
import { Config } from '../../platform/config/config';
import { MailerService } from '../../platform/mail/mailer.service';
import type { TaskResult, ScheduledTask, TaskContext } from '../../platform/scheduler/scheduled-task';

/** Something out of the ordinary, as app.detect_suspicious_access() found it. */
export interface AccessAlert {
  readonly id: number;
  readonly kind: 'failure_burst' | 'address_sweep' | 'new_device' | 'far_addresses';
  readonly ipAddress: string | null;
  readonly details: Readonly<Record<string, string | number | null>>;
  readonly createdAt: Date;
}

interface AccessAlertText {
  readonly subject: string;
  readonly describe: (alert: AccessAlert) => string;
  readonly advice: string;
}

const OWNER_ADVICE =
  'If it was you, there is nothing to do. If not: set a new password at once, end your other sessions (DELETE /v1/auth/sessions) and turn on two-factor sign-in.';

const ACCESS_ALERT_TEXTS: Readonly<Record<AccessAlert['kind'], AccessAlertText>> = {
  failure_burst: {
    subject: 'Somebody tries to sign in to your account',
    describe: ({ details }) =>
      `${details.failures} sign-ins to your account failed within minutes, from ${details.addresses} addresses.`,
    advice:
      'If it was you, there is nothing to do. If not: nobody got in by these, and further tries are slowed down. Make sure that your password is used nowhere else, and turn on two-factor sign-in.',
  },
  address_sweep: {
    subject: 'One address tries many accounts',
    describe: ({ details, ipAddress }) =>
      `${details.failures} sign-ins to ${details.accounts} accounts failed within minutes, all from ${ipAddress}.`,
    advice:
      'You get this letter as an admin. Further tries from there are slowed down. Look at GET /v1/admin/security-logs?ipAddress=… for sign-ins that succeeded, end the sessions of those accounts, and block the address before the server.',
  },
  new_device: {
    subject: 'A new device signed in to your account',
    describe: ({ details, ipAddress }) =>
      `A device or place not seen before signed in to your account: ${details.device ?? 'unknown'}, from ${ipAddress}.`,
    advice: OWNER_ADVICE,
  },
  far_addresses: {
    subject: 'Your account is used in two places at once',
    describe: ({ details, ipAddress }) =>
      `Within ten minutes your account was used from ${details.otherAddress} and from ${ipAddress}, which are of different networks. A change from home to mobile network looks like that, and so does a thief.`,
    advice: OWNER_ADVICE,
  },
};

/** What an alert says in one sentence. */
export function describeAccessAlert(alert: AccessAlert): string {
  return ACCESS_ALERT_TEXTS[alert.kind].describe(alert);
}

/** What whoever is told should do. */
export function getAccessAlertAdvice({ kind }: AccessAlert): string {
  return ACCESS_ALERT_TEXTS[kind].advice;
}

/** The letter about an alert, with what to do. */
export function buildAccessAlertEmail(publicUrl: string, to: string, alert: AccessAlert): Email {
  return {
    to,
    subject: ACCESS_ALERT_TEXTS[alert.kind].subject,
    text: `${describeAccessAlert(alert)}
Found on ${alert.createdAt.toISOString()} at ${publicUrl}.

${getAccessAlertAdvice(alert)}
`,
  };
}

/** What app.detect_suspicious_access() counts failures over; it is safe to look at a time twice. */
const WINDOW_MS = 15 * 60_000;

/** After a longer pause older events are not worth a letter any more. */
const MAX_LOOK_BACK_MS = 24 * 3_600_000;

/** More in one run would be a flood of letters; the rest follows five minutes later. */
const MAX_EMAILS_PER_RUN = 200;

const ALERT_KINDS = ['failure_burst', 'address_sweep', 'new_device', 'far_addresses'] as const;

/** Looks for sign-ins out of the ordinary and tells whom they concern. */
export const DETECT_SUSPICIOUS_ACCESS: ScheduledTask = {
  id: 'watch-access',
  description:
    'Looks for bursts of failed sign-ins, one address against many accounts, new devices and far addresses; mails what it finds.',
  cron: '*/5 * * * *',
  timezone: 'UTC',
  timeoutMs: 4 * 60_000,
  retries: 2,
  missedRunImpact: 'Nobody is told of an attack while it goes on; limits and delays hold all the same.',
  run: detectSuspiciousAccess,
};

async function detectSuspiciousAccess({
  lastResult: lastFigures,
  signal,
  asWorker,
  service,
}: TaskContext): Promise<TaskResult> {
  const now = Date.now();
  const last = typeof lastFigures?.until === 'string' ? Date.parse(lastFigures.until) : now;
  const since = new Date(Math.max(Math.min(now, last) - WINDOW_MS, now - MAX_LOOK_BACK_MS));
  const found = await asWorker((unit) =>
    unit.query<{ kind: string; found: number }>('SELECT kind, found FROM app.detect_suspicious_access($1)', [since]),
  );
  const alertsToEmail = await asWorker((unit) =>
    unit.query<AccessAlert & { recipient: string }>(ALERTS_TO_EMAIL, [MAX_EMAILS_PER_RUN]),
  );
  const { publicUrl } = service(Config).http;
  const mailer = service(MailerService);
  const emailedIds = new Set<number>();
  for (const alert of alertsToEmail) {
    signal.throwIfAborted();
    // Told before it is marked: a letter twice is better than none.
    await mailer.send(buildAccessAlertEmail(publicUrl, alert.recipient, alert));
    emailedIds.add(alert.id);
  }
  if (emailedIds.size > 0) await asWorker((unit) => unit.query(MARK_EMAILED, [[...emailedIds]]));
  const counts = Object.fromEntries(
    ALERT_KINDS.map((kind) => [kind, found.find((row) => row.kind === kind)?.found ?? 0]),
  );
  return { ...counts, mailed: emailedIds.size, until: new Date(now).toISOString() };
}

const ALERTS_TO_EMAIL = `
  SELECT id, kind, recipient, ip_address AS "ipAddress", details, created_at AS "createdAt" FROM app.access_alerts_to_email($1)`;

const MARK_EMAILED = `SELECT app.mark_access_alert_emailed(id) FROM unnest($1::bigint[]) AS mailed (id)`;
