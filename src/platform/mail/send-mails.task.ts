import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../scheduler/scheduled-task';
import { EmailOutboxService } from './email-outbox.service';
import { SEND_MAILS_ID } from './email';
import { SmtpTransport } from './smtp-transport';

const CONCURRENCY = 5;

/** Sends what waits in the outbox. */
export const SEND_MAILS: ScheduledTask = {
  id: SEND_MAILS_ID,
  description:
    'Sends emails from the outbox; tries again what the mail server did not accept, for a day or as long as its link is valid.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 0,
  missedRunImpact: 'Emails come later; those whose links expire meanwhile are not sent.',
  runsAtBoot: true,
  run: sendMails,
};

async function sendMails({ readOnly: look, asWorker, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const [waiting] = await look((unit) => unit.query<{ due: boolean }>('SELECT app.emails_due() AS due'));
  if (!waiting?.due) return { skipped: 'nothing is due' };
  const [gone] = await asWorker((unit) => unit.query<{ expired: number }>('SELECT app.expire_emails() AS expired'));
  const outbox = service(EmailOutboxService);
  const smtp = service(SmtpTransport);
  const counts = { sent: 0, pending: 0, failed: gone?.expired ?? 0 };
  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      const status = await outbox.sendNext((mail, id) => smtp.send(mail, id));
      if (status === undefined) return;
      if (status !== null) counts[status] += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return counts;
}
