import { Config } from '../platform/config/config';
import { Mailer } from '../platform/mail/mailer.service';
import type { Figures, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';
import { accessAlertMail, type AccessAlert } from './access-alert-mail';

/** What app.watch_access() counts failures over; it is safe to look at a time twice. */
const WINDOW_MS = 15 * 60_000;

/** After a longer pause older events are not worth a letter any more. */
const LONGEST_LOOK_BACK_MS = 24 * 3_600_000;

/** More in one run would be a flood of letters; the rest follows five minutes later. */
const MAILS_A_RUN = 200;

const KINDS = ['failure_burst', 'address_sweep', 'new_device', 'far_addresses'] as const;

/** Looks for sign-ins out of the ordinary and tells whom they concern. */
export const WATCH_ACCESS: ScheduledTask = {
  id: 'watch-access',
  description:
    'Looks for bursts of failed sign-ins, one address against many accounts, new devices and far addresses; mails what it finds.',
  cron: '*/5 * * * *',
  timezone: 'UTC',
  timeoutMs: 4 * 60_000,
  retries: 2,
  whatAMissMeans: 'Nobody is told of an attack while it goes on; limits and delays hold all the same.',
  run: watchAccess,
};

async function watchAccess({ lastFigures, signal, asWorker, service }: TaskContext): Promise<Figures> {
  const now = Date.now();
  const last = typeof lastFigures?.until === 'string' ? Date.parse(lastFigures.until) : now;
  const since = new Date(Math.max(Math.min(now, last) - WINDOW_MS, now - LONGEST_LOOK_BACK_MS));
  const found = await asWorker((unit) =>
    unit.query<{ kind: string; found: number }>('SELECT kind, found FROM app.watch_access($1)', [since]),
  );
  const toMail = await asWorker((unit) => unit.query<AccessAlert & { recipient: string }>(TO_MAIL, [MAILS_A_RUN]));
  const { publicUrl } = service(Config).http;
  const mailer = service(Mailer);
  const mailed = new Set<number>();
  for (const alert of toMail) {
    signal.throwIfAborted();
    // Told before it is marked: a letter twice is better than none.
    await mailer.send(accessAlertMail(publicUrl, alert.recipient, alert));
    mailed.add(alert.id);
  }
  if (mailed.size > 0) await asWorker((unit) => unit.query(MARK_MAILED, [[...mailed]]));
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, found.find((row) => row.kind === kind)?.found ?? 0]));
  return { ...counts, mailed: mailed.size, until: new Date(now).toISOString() };
}

const TO_MAIL = `
  SELECT id, kind, recipient, ip_address AS "ipAddress", details, created_at AS "createdAt" FROM app.access_alerts_to_mail($1)`;

const MARK_MAILED = `SELECT app.mark_access_alert_mailed(id) FROM unnest($1::bigint[]) AS mailed (id)`;
