import type { Email } from '../mail/email';
import { type ScheduledTask, TaskRegistry } from '../scheduler/scheduled-task';
import {
  Injectable,
  Logger,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { parseExpression } from 'cron-parser';
import { Config } from '../config/config';
import { runInContext } from '../context/request-context';
import { SystemDatabase } from '../database/system-database';
import { MailerService } from '../mail/mailer.service';

/** A problem of a scheduled task. */
export interface TaskAlert {
  readonly id: number;
  readonly task: string;
  readonly kind: 'missed' | 'overlong' | 'failed';
  /** A sentence about the task, without its subject. */
  readonly reason: string;
  readonly createdAt: Date;
}

const SUBJECTS: Readonly<Record<TaskAlert['kind'], string>> = {
  missed: 'does not run',
  overlong: 'takes too long',
  failed: 'failed',
};

/** Builds the email of an alert to an admin. */
export function taskAlertEmail(
  publicUrl: string,
  to: string,
  alert: TaskAlert,
  task: ScheduledTask | undefined,
): Email {
  return {
    to,
    subject: `The task ${alert.task} ${SUBJECTS[alert.kind]}`,
    text: `The task ${alert.task}: ${alert.reason}.
Found on ${alert.createdAt.toISOString()} at ${publicUrl}.

What it does: ${task?.description ?? 'not known to this release.'}
What this means: ${task?.missedRunImpact ?? 'not known to this release.'}

There will be no further email about this problem. See ${publicUrl}/admin.
`,
  };
}

const UPDATE_ALERTS = 'SELECT task, reason, event FROM auth.update_task_alerts($1)';

const ALERTS_TO_MAIL = `
  SELECT id, task, kind, reason, created_at AS "createdAt", recipient FROM auth.task_alerts_to_email()`;

const CHECK_INTERVAL_MS = 60_000;

/** Time after which a scheduled run without a worker counts as missed. */
const LATE_MS = 2 * 60_000;

interface Change {
  readonly task: string;
  readonly reason: string;
  readonly event: string;
}

/**
 * Reports problems of scheduled tasks. It runs in every process with the schedule, API and worker alike, because a
 * missing worker cannot report itself.
 */
@Injectable()
export class MissedRunMonitor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MissedRunMonitor.name);
  private timer: NodeJS.Timeout | undefined;
  /** Runs missed before this time are not reported; the next run catches up. */
  private observingSince = Date.now();

  constructor(
    private readonly schedule: TaskRegistry,
    private readonly database: SystemDatabase,
    private readonly config: Config,
    @Optional() private readonly mailer?: MailerService,
  ) {}

  onApplicationBootstrap(): void {
    this.observingSince = Date.now();
    this.timer = setInterval(() => void this.checkInBackground(), CHECK_INTERVAL_MS);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * Compares runs with the schedule, as gigvault_auth, which API and worker have. Each missed, overlong or failed task
   * gets one alert, one security event and one email to each admin; alerts of recovered tasks are cleared. If the
   * process dies before it sends an email, the email is lost but the alert remains.
   */
  async check(now = Date.now()): Promise<void> {
    const declared = this.schedule.tasks.map((task) => {
      const due = getLatestDue(task, now);
      return { task: task.id, due, is_watched: due.getTime() >= this.observingSince, timeout_ms: task.timeoutMs };
    });
    const changes = await this.database.asAuth((unit) => unit.query<Change>(UPDATE_ALERTS, [JSON.stringify(declared)]));
    for (const { task, reason, event } of changes) {
      if (event === 'task.recovered') this.logger.log(`${task}: recovered (${reason})`);
      else this.logger.error(`${task}: ${reason}`);
    }
    await this.sendEmails();
  }

  private async sendEmails(): Promise<void> {
    if (!this.mailer) return;
    const alerts = await this.database.asAuth((unit) => unit.query<TaskAlert & { recipient: string }>(ALERTS_TO_MAIL));
    for (const alert of alerts) {
      await this.mailer.send(
        taskAlertEmail(this.config.http.publicUrl, alert.recipient, alert, this.schedule.find(alert.task)),
      );
    }
  }

  /** Runs a check and logs its failure, such as a lost PostgreSQL; the next check follows within a minute. */
  private async checkInBackground(): Promise<void> {
    const context = {
      requestId: 'task-watch',
      ip: null,
      userAgent: null,
      operation: 'task-watch',
      actorKind: 'task' as const,
    };
    await runInContext(context, () => this.check()).catch((error: Error) =>
      this.logger.warn(`tasks not checked: ${error.message}`),
    );
  }
}

/** Returns the latest scheduled run that a worker must have taken by now. */
function getLatestDue({ cron, timezone }: ScheduledTask, now: number): Date {
  return parseExpression(cron, { currentDate: new Date(now - LATE_MS), tz: timezone })
    .prev()
    .toDate();
}
