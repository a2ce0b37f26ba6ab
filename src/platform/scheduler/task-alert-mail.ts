import type { Mail } from '../mail/mail';
import type { ScheduledTask } from './scheduled-task';

/** Something wrong with a scheduled task. */
export interface TaskAlert {
  readonly id: number;
  readonly task: string;
  readonly kind: 'missed' | 'overlong' | 'failed';
  /** A sentence without its subject, the task. */
  readonly reason: string;
  readonly createdAt: Date;
}

const SUBJECTS: Readonly<Record<TaskAlert['kind'], string>> = {
  missed: 'does not run',
  overlong: 'takes too long',
  failed: 'failed',
};

/** Returns the email to an admin; the dashboard shows the alert until it is over. */
export function taskAlertMail(publicUrl: string, to: string, alert: TaskAlert, task: ScheduledTask | undefined): Mail {
  return {
    to,
    subject: `The task ${alert.task} ${SUBJECTS[alert.kind]}`,
    text: `The task ${alert.task}: ${alert.reason}.
Found on ${alert.createdAt.toISOString()} at ${publicUrl}.

What it does: ${task?.description ?? 'not known to this release.'}
What this means: ${task?.whatAMissMeans ?? 'not known to this release.'}

You get one email for this, however long it lasts. See ${publicUrl}/admin.
`,
  };
}
