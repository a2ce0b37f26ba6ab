import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../scheduler/scheduled-task';
import { EmailOutboxService } from './mailer.service';
import { SEND_MAILS_ID } from './email';
import { SmtpTransport } from './smtp-transport';

const CONCURRENCY = 5;

/** Sends the emails of the outbox. */
export const SEND_MAILS: ScheduledTask = {
  id: SEND_MAILS_ID,
  description: 'Sends emails from the outbox. Retries failed ones for a day, or until their link expires.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 0,
  missedRunImpact: 'Emails are late. Those whose links expire meanwhile are not sent.',
  runsAtBoot: true,
  run: sendMails,
};

async function sendMails({ readOnly, asWorker, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const [waiting] = await readOnly((unit) => unit.query<{ due: boolean }>('SELECT app.emails_due() AS due'));
  if (!waiting?.due) return { skipped: 'nothing is due' };
  const [expiry] = await asWorker((unit) => unit.query<{ expired: number }>('SELECT app.expire_emails() AS expired'));
  const outbox = service(EmailOutboxService);
  const smtp = service(SmtpTransport);
  const counts = { sent: 0, pending: 0, failed: expiry?.expired ?? 0 };
  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      const status = await outbox.sendNext((email, id) => smtp.send(email, id));
      if (status === undefined) return;
      if (status !== null) counts[status] += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return counts;
}
