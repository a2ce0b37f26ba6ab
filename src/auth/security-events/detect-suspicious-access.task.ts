import type { Email } from '../../platform/mail/email';
import { Config } from '../../platform/config/config';
import { MailerService } from '../../platform/mail/mailer.service';
import type { TaskResult, ScheduledTask, TaskContext } from '../../platform/scheduler/scheduled-task';

/** A finding of app.detect_suspicious_access(). */
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
  'If it was you, no action is needed. If not: set a new password at once, end your other sessions (DELETE ' +
  '/v1/auth/sessions) and turn on two-factor sign-in.';

const ACCESS_ALERT_TEXTS: Readonly<Record<AccessAlert['kind'], AccessAlertText>> = {
  failure_burst: {
    subject: 'Many failed sign-ins to your account',
    describe: ({ details }) =>
      `${details.failures} sign-ins to your account failed within minutes, from ${details.addresses} addresses.`,
    advice:
      'If it was you, no action is needed. If not: these attempts did not succeed, and further attempts are slowed ' +
      'down. Make sure that you use this password nowhere else, and turn on two-factor sign-in.',
  },
  address_sweep: {
    subject: 'Failed sign-ins to many accounts from one address',
    describe: ({ details, ipAddress }) =>
      `${details.failures} sign-ins to ${details.accounts} accounts failed within minutes, all from ${ipAddress}.`,
    advice:
      'You get this email as an admin. Further attempts from there are slowed down. Search GET ' +
      '/v1/admin/security-logs?ipAddress=… for sign-ins that succeeded, end the sessions of those accounts, and ' +
      'block the address in front of the server.',
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
      `Within ten minutes your account was used from ${details.otherAddress} and from ${ipAddress}, which are ` +
      'in different networks. A change from home to mobile network looks like this, and so does an attacker.',
    advice: OWNER_ADVICE,
  },
};

/** Builds the email about an alert, with advice. */
function buildAccessAlertEmail(publicUrl: string, to: string, alert: AccessAlert): Email {
  const { subject, describe, advice } = ACCESS_ALERT_TEXTS[alert.kind];
  return {
    to,
    subject,
    text: `${describe(alert)}
Found on ${alert.createdAt.toISOString()} at ${publicUrl}.

${advice}
`,
  };
}

/** Period over which failures are counted. Searching the same period twice is safe. */
const WINDOW_MS = 15 * 60_000;

/** Oldest events that are searched after a pause. */
const MAX_LOOK_BACK_MS = 24 * 3_600_000;

/** Most emails per run, against floods; the rest follows five minutes later. */
const MAX_EMAILS_PER_RUN = 200;

const ALERT_KINDS = ['failure_burst', 'address_sweep', 'new_device', 'far_addresses'] as const;

/** Searches for suspicious sign-ins and emails the owners or the admins. */
export const DETECT_SUSPICIOUS_ACCESS: ScheduledTask = {
  id: 'watch-access',
  description:
    'Searches for bursts of failed sign-ins, one address against many accounts, new devices and far addresses, ' +
    'and sends alerts by email.',
  cron: '*/5 * * * *',
  timezone: 'UTC',
  timeoutMs: 4 * 60_000,
  retries: 2,
  missedRunImpact: 'Attacks are reported late; limits and delays still apply.',
  run: detectSuspiciousAccess,
};

async function detectSuspiciousAccess({ lastResult, signal, asWorker, service }: TaskContext): Promise<TaskResult> {
  const now = Date.now();
  const last = typeof lastResult?.until === 'string' ? Date.parse(lastResult.until) : now;
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
    // Sent before it is marked: a repeated email is better than a lost one.
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
  SELECT id, kind, recipient, ip_address AS "ipAddress", details, created_at AS "createdAt"
  FROM app.access_alerts_to_email($1)`;

const MARK_EMAILED = `SELECT app.mark_access_alert_emailed(id) FROM unnest($1::bigint[]) AS mailed (id)`;
