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
import { Mailer } from '../mail/mailer.service';
import { Schedule } from './schedule';
import type { ScheduledTask } from './scheduled-task';
import { taskAlertMail, type TaskAlert } from './task-alert-mail';
import { COMPARE_ALERTS, ONE_AT_A_TIME, TO_MAIL } from './task-watch.queries';

const EVERY_MS = 60_000;

/** A firing that nobody has taken for so long is missed. */
const LATE_MS = 2 * 60_000;

interface Change {
  readonly task: string;
  readonly reason: string;
  readonly event: string;
}

/**
 * Sees that nothing scheduled fails in silence. It runs in every process that knows the schedule, API and worker alike:
 * that no worker is there is what only another can tell.
 */
@Injectable()
export class TaskWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(TaskWatch.name);
  private timer: NodeJS.Timeout | undefined;
  /** What fell due while nobody watched is made up for by the next firing; it is not held against the workers. */
  private watchesSince = Date.now();

  constructor(
    private readonly schedule: Schedule,
    private readonly database: SystemDatabase,
    private readonly config: Config,
    @Optional() private readonly mailer?: Mailer,
  ) {}

  onApplicationBootstrap(): void {
    this.watchesSince = Date.now();
    this.timer = setInterval(() => void this.lookQuietly(), EVERY_MS);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * Compares the runs with the schedule: each missed, overlong or failed task gets one alert in task_alerts, one security
   * event and one letter to each admin; what is well again is cleared. A process that dies between noting and sending a
   * letter loses it; the alert stands all the same. Runs as gigvault_worker.
   */
  async look(now = Date.now()): Promise<void> {
    const declared = this.schedule.tasks.map((task) => {
      const due = dueOf(task, now);
      return { task: task.id, due, is_watched: due.getTime() >= this.watchesSince, timeout_ms: task.timeoutMs };
    });
    const changes = await this.database.asScheduler(async (unit) => {
      await unit.query(ONE_AT_A_TIME);
      return unit.query<Change>(COMPARE_ALERTS, [JSON.stringify(declared)]);
    });
    for (const { task, reason, event } of changes) {
      if (event === 'task.recovered') this.logger.log(`${task}: well again (${reason})`);
      else this.logger.error(`${task}: ${reason}`);
    }
    await this.sendMails();
  }

  private async sendMails(): Promise<void> {
    if (!this.mailer) return;
    const alerts = await this.database.asScheduler((unit) => unit.query<TaskAlert & { recipient: string }>(TO_MAIL));
    for (const alert of alerts) {
      await this.mailer.send(
        taskAlertMail(this.config.http.publicUrl, alert.recipient, alert, this.schedule.find(alert.task)),
      );
    }
  }

  /** Without PostgreSQL there is nobody to tell; the next look comes within a minute. */
  private async lookQuietly(): Promise<void> {
    const context = {
      requestId: 'task-watch',
      ip: null,
      userAgent: null,
      operation: 'task-watch',
      actorKind: 'task' as const,
    };
    await runInContext(context, () => this.look()).catch((error: Error) =>
      this.logger.warn(`tasks not watched: ${error.message}`),
    );
  }
}

/** The latest firing that must have been taken by now. */
function dueOf({ cron, timezone }: ScheduledTask, now: number): Date {
  return parseExpression(cron, { currentDate: new Date(now - LATE_MS), tz: timezone })
    .prev()
    .toDate();
}
