import { hash } from 'node:crypto';
import { Config } from '../../platform/config/config';
import { MailerService } from '../../platform/mail/mailer.service';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../../platform/scheduler/scheduled-task';
import { readNewestHead } from './newest-head';
import { postText } from './post-text';

const MISSED_RUN_IMPACT =
  'The receivers of heads have an older one: a later cut of the log before it is found, no other.';

/** Posts the newest head to a URL. A task of its own, so that other receivers get theirs when this one is down. */
export const POST_AUDIT_HEAD: ScheduledTask = {
  id: 'post-audit-head',
  description: 'Posts the newest head of the audit log to AUDIT_HEAD_WEBHOOK_URL.',
  cron: '*/10 * * * *',
  timezone: 'UTC',
  timeoutMs: 60_000,
  retries: 3,
  missedRunImpact: MISSED_RUN_IMPACT,
  run: postAuditHead,
};

/** Emails the newest head. */
export const EMAIL_AUDIT_HEAD: ScheduledTask = {
  id: 'email-audit-head',
  description: 'Sends the newest head of the audit log to AUDIT_HEAD_EMAIL.',
  cron: '17 5 * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 5,
  missedRunImpact: MISSED_RUN_IMPACT,
  run: emailAuditHead,
};

/**
 * The body is the note itself: it is signed, so that a receiver needs no other secret, and keeps it as it is. A message
 * of Standard Webhooks would wrap it and need a second key.
 */
async function postAuditHead({ service, signal, lastResult }: TaskContext): Promise<TaskResult | Skipped> {
  const { headWebhookUrl: url } = service(Config).audit;
  if (url === undefined) return { skipped: 'AUDIT_HEAD_WEBHOOK_URL is not set' };
  const head = await readNewestHead(service);
  if (!head) return { skipped: 'no row is sealed yet' };
  if (lastResult?.['entries'] === head.size) return { skipped: 'the receiver has the newest head' };
  const { host } = new URL(url);
  const { status } = await postText(url, head.note, signal).catch((error: Error) => {
    throw new Error(`the webhook of heads at ${host}: ${error.message}`, { cause: error });
  });
  if (status < 200 || status > 299) throw new Error(`the webhook of heads at ${host}: it answered ${status}`);
  return { entries: head.size };
}

async function emailAuditHead({ service }: TaskContext): Promise<TaskResult | Skipped> {
  const { headEmail: to } = service(Config).audit;
  if (to === undefined) return { skipped: 'AUDIT_HEAD_EMAIL is not set' };
  const head = await readNewestHead(service);
  if (!head) return { skipped: 'no row is sealed yet' };
  const email = {
    to,
    subject: `Head of the audit log ${head.origin}: ${head.size} entries`,
    text:
      'This is the signed head of the audit log, which contains each change of data and each security event.\n' +
      'Keep this email. A log from which entries were cut, or in which entries were changed, does not extend\n' +
      'this head. So the head proves everything up to it.\n\n' +
      `${head.note}\n` +
      `The key of the signature is ${head.verifierKey}\n`,
  };
  const failure = await service(MailerService).deliverOnce(email, `audit-head-${hash('sha256', head.note)}`);
  if (failure !== null) throw new Error(`the email with the head to AUDIT_HEAD_EMAIL was not sent: ${failure}`);
  return { entries: head.size };
}
