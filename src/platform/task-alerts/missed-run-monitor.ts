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

You get one email for this, however long it lasts. See ${publicUrl}/admin.
`,
  };
}

/**
 * What is wrong with the tasks now, one row for each trouble. $1: [{task, due, is_watched, timeout_ms}], where `due` is
 * the latest firing that must have been taken by now, and is_watched says that the asking process was there then.
 *
 * missed: no run of that firing or since then, though the task was not at rest. A process that has just come does not
 * know it for itself, but what another found holds until a run ends it.
 * overlong: takes longer than its time limit, or five times as long as usual and more than a minute.
 * failed: its latest run failed for good; one that had nothing to do proves nothing.
 */
const TROUBLES = `
  SELECT d.task, 'missed' AS kind, format('was due at %s UTC and no worker took it', to_char(d.due AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) AS reason
  FROM declared d LEFT JOIN task_settings s USING (task)
  WHERE (d.is_watched OR EXISTS (SELECT FROM task_alerts a WHERE a.task = d.task AND a.kind = 'missed' AND a.cleared_at IS NULL))
    AND s.paused IS NOT TRUE AND (s.updated_at IS NULL OR s.updated_at < d.due)
    AND NOT EXISTS (SELECT FROM task_runs r WHERE r.task = d.task AND (r.scheduled_for >= d.due OR r.started_at >= d.due))
  UNION ALL
  SELECT DISTINCT ON (d.task) d.task, 'overlong', format('run %s has been running for %s s; %slimit %s s', r.id, round(r.seconds),
    coalesce('usual duration ' || round(usual.seconds) || ' s, ', ''), d.timeout_ms / 1000)
  FROM declared d
  JOIN LATERAL (SELECT r.id, extract(epoch FROM now() - r.started_at) AS seconds FROM task_runs r WHERE r.task = d.task AND r.outcome = 'running') r ON true
  LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.seconds) AS seconds FROM (
      SELECT extract(epoch FROM l.ended_at - l.started_at) AS seconds FROM task_runs l
      WHERE l.task = d.task AND l.outcome IN ('succeeded', 'partial') ORDER BY l.id DESC LIMIT 20) l
    HAVING count(*) >= 5
  ) usual ON true
  WHERE r.seconds > d.timeout_ms / 1000.0 + 15 OR r.seconds > greatest(60, 5 * usual.seconds)
  UNION ALL
  SELECT d.task, 'failed', left(format('run %s %s: %s', r.id, CASE r.outcome WHEN 'timed_out' THEN 'took too long' ELSE 'failed' END, r.error), 1000)
  FROM declared d
  JOIN LATERAL (
    SELECT r.* FROM task_runs r WHERE r.task = d.task AND r.outcome IN ('succeeded', 'partial', 'failed', 'timed_out') ORDER BY r.ended_at DESC LIMIT 1
  ) r ON r.outcome IN ('failed', 'timed_out')`;

/**
 * Makes task_alerts agree with the troubles of now: a new one is written once, whoever finds it first, with the security
 * event task.<kind>; one that is over is cleared, with task.recovered. Two processes at once would clear what the other
 * has just found, so one waits for the other.
 */
export const UPDATE_ALERTS = `
  WITH declared AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS d (task text, due timestamptz, is_watched boolean, timeout_ms integer)
  ), troubles AS MATERIALIZED (${TROUBLES}
  ), opened AS (
    INSERT INTO task_alerts (task, kind, reason) SELECT task, kind, reason FROM troubles
    ON CONFLICT (task, kind) WHERE cleared_at IS NULL DO NOTHING
    RETURNING task, kind, reason
  ), cleared AS (
    UPDATE task_alerts a SET cleared_at = now()
    WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT FROM troubles t WHERE t.task = a.task AND t.kind = a.kind)
      -- A task this process does not know may be another release's, for as long as both run.
      AND (EXISTS (SELECT FROM declared d WHERE d.task = a.task) OR a.created_at < now() - interval '1 hour')
    RETURNING a.task, a.kind, a.reason
  ), told AS (
    SELECT task, kind, reason, 'task.' || kind AS event, false AS success FROM opened
    UNION ALL SELECT task, kind, reason, 'task.recovered', true FROM cleared
  )
  SELECT task, kind, reason, event, auth.log_event(event, NULL, success, NULL, NULL, jsonb_build_object('task', task, 'kind', kind, 'reason', reason))
  FROM told`;

export const LOCK_ALERTS = `SELECT pg_advisory_xact_lock(hashtextextended('task_alerts', 0))`;

export const ALERTS_TO_MAIL = `SELECT id, task, kind, reason, created_at AS "createdAt", recipient FROM app.task_alerts_to_email()`;

const CHECK_INTERVAL_MS = 60_000;

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
export class MissedRunMonitor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MissedRunMonitor.name);
  private timer: NodeJS.Timeout | undefined;
  /** What fell due while nobody watched is made up for by the next firing; it is not held against the workers. */
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
   * Compares the runs with the schedule: each missed, overlong or failed task gets one alert in task_alerts, one security
   * event and one letter to each admin; what is well again is cleared. A process that dies between noting and sending a
   * letter loses it; the alert stands all the same. Runs as gigvault_worker.
   */
  async check(now = Date.now()): Promise<void> {
    const declared = this.schedule.tasks.map((task) => {
      const due = dueOf(task, now);
      return { task: task.id, due, is_watched: due.getTime() >= this.observingSince, timeout_ms: task.timeoutMs };
    });
    const changes = await this.database.asScheduler(async (unit) => {
      await unit.query(LOCK_ALERTS);
      return unit.query<Change>(UPDATE_ALERTS, [JSON.stringify(declared)]);
    });
    for (const { task, reason, event } of changes) {
      if (event === 'task.recovered') this.logger.log(`${task}: well again (${reason})`);
      else this.logger.error(`${task}: ${reason}`);
    }
    await this.sendMails();
  }

  private async sendMails(): Promise<void> {
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

  /** Without PostgreSQL there is nobody to tell; the next look comes within a minute. */
  private async checkInBackground(): Promise<void> {
    const context = {
      requestId: 'task-watch',
      ip: null,
      userAgent: null,
      operation: 'task-watch',
      actorKind: 'task' as const,
    };
    await runInContext(context, () => this.check()).catch((error: Error) =>
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
