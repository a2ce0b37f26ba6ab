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

/**
 * Finds the current problems of tasks, one row each. $1: [{task, due, is_watched, timeout_ms}]; `due` is the latest
 * scheduled run that a worker must have taken by now, and is_watched is true when this process was already running
 * then.
 *
 * missed: no run since `due`, although the task was not paused. A process started later does not open such an alert,
 * but keeps one opened by another process until the task runs.
 * overlong: exceeds its time limit, or takes more than a minute and five times the usual duration.
 * failed: its latest run finally failed; skipped runs do not count.
 */
const PROBLEMS = `
  SELECT d.task, 'missed' AS kind,
    format('was due at %s UTC and no worker took it', to_char(d.due AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) AS reason
  FROM declared d LEFT JOIN task_settings s USING (task)
  WHERE (d.is_watched
      OR EXISTS (SELECT FROM task_alerts a WHERE a.task = d.task AND a.kind = 'missed' AND a.cleared_at IS NULL))
    AND s.paused IS NOT TRUE AND (s.updated_at IS NULL OR s.updated_at < d.due)
    AND NOT EXISTS (
      SELECT FROM task_runs r WHERE r.task = d.task AND (r.scheduled_for >= d.due OR r.started_at >= d.due))
  UNION ALL
  SELECT DISTINCT ON (d.task) d.task, 'overlong',
    format('run %s has been running for %s s; %slimit %s s', r.id, round(r.seconds),
      coalesce('usual duration ' || round(usual.seconds) || ' s, ', ''), d.timeout_ms / 1000)
  FROM declared d
  JOIN LATERAL (
    SELECT r.id, extract(epoch FROM now() - r.started_at) AS seconds FROM task_runs r
    WHERE r.task = d.task AND r.outcome = 'running'
  ) r ON true
  LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.seconds) AS seconds FROM (
      SELECT extract(epoch FROM l.ended_at - l.started_at) AS seconds FROM task_runs l
      WHERE l.task = d.task AND l.outcome IN ('succeeded', 'partial') ORDER BY l.id DESC LIMIT 20) l
    HAVING count(*) >= 5
  ) usual ON true
  WHERE r.seconds > d.timeout_ms / 1000.0 + 15 OR r.seconds > greatest(60, 5 * usual.seconds)
  UNION ALL
  SELECT d.task, 'failed', left(format('run %s %s: %s', r.id,
    CASE r.outcome WHEN 'timed_out' THEN 'took too long' ELSE 'failed' END, r.error), 1000)
  FROM declared d
  JOIN LATERAL (
    SELECT r.* FROM task_runs r
    WHERE r.task = d.task AND r.outcome IN ('succeeded', 'partial', 'failed', 'timed_out')
    ORDER BY r.ended_at DESC LIMIT 1
  ) r ON r.outcome IN ('failed', 'timed_out')`;

/**
 * Updates task_alerts to the current problems. A new problem opens one alert with the security event task.<kind>; a
 * solved one is cleared with task.recovered. LOCK_ALERTS must precede it: two processes at once would clear each
 * other's alerts.
 */
export const UPDATE_ALERTS = `
  WITH declared AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
      AS d (task text, due timestamptz, is_watched boolean, timeout_ms integer)
  ), problems AS MATERIALIZED (${PROBLEMS}
  ), opened AS (
    INSERT INTO task_alerts (task, kind, reason) SELECT task, kind, reason FROM problems
    ON CONFLICT (task, kind) WHERE cleared_at IS NULL DO NOTHING
    RETURNING task, kind, reason
  ), cleared AS (
    UPDATE task_alerts a SET cleared_at = now()
    WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT FROM problems t WHERE t.task = a.task AND t.kind = a.kind)
      -- An undeclared task may belong to another release that still runs.
      AND (EXISTS (SELECT FROM declared d WHERE d.task = a.task) OR a.created_at < now() - interval '1 hour')
    RETURNING a.task, a.kind, a.reason
  ), events AS (
    SELECT task, kind, reason, 'task.' || kind AS event, false AS success FROM opened
    UNION ALL SELECT task, kind, reason, 'task.recovered', true FROM cleared
  )
  SELECT task, kind, reason, event,
    auth.log_event(event, NULL, success, NULL, NULL, jsonb_build_object('task', task, 'kind', kind, 'reason', reason))
  FROM events`;

export const LOCK_ALERTS = `SELECT pg_advisory_xact_lock(hashtextextended('task_alerts', 0))`;

export const ALERTS_TO_MAIL = `
  SELECT id, task, kind, reason, created_at AS "createdAt", recipient FROM app.task_alerts_to_email()`;

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
   * Compares runs with the schedule, as gigvault_worker. Each missed, overlong or failed task gets one alert, one
   * security event and one email to each admin; alerts of recovered tasks are cleared. If the process dies before it
   * sends an email, the email is lost but the alert remains.
   */
  async check(now = Date.now()): Promise<void> {
    const declared = this.schedule.tasks.map((task) => {
      const due = getLatestDue(task, now);
      return { task: task.id, due, is_watched: due.getTime() >= this.observingSince, timeout_ms: task.timeoutMs };
    });
    const changes = await this.database.asScheduler(async (unit) => {
      await unit.query(LOCK_ALERTS);
      return unit.query<Change>(UPDATE_ALERTS, [JSON.stringify(declared)]);
    });
    for (const { task, reason, event } of changes) {
      if (event === 'task.recovered') this.logger.log(`${task}: recovered (${reason})`);
      else this.logger.error(`${task}: ${reason}`);
    }
    await this.sendEmails();
  }

  private async sendEmails(): Promise<void> {
    if (!this.mailer) return;
    const alerts = await this.database.asScheduler((unit) =>
      unit.query<TaskAlert & { recipient: string }>(ALERTS_TO_MAIL),
    );
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
