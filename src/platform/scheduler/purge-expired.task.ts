import { Config } from '../config/config';
import type { TaskResult, ScheduledTask, TaskContext } from './scheduled-task';

/** Removes what was kept for a time only: the retention rules themselves stand in the functions it calls. */
export const PURGE_EXPIRED: ScheduledTask = {
  id: 'purge-expired',
  description:
    'Deletes idempotency keys and local emails older than a day, records of sent emails older than 30 days, expired links, run histories older than 90 days, alerts that were sent 30 days ago, and security events past SECURITY_LOG_RETENTION_DAYS.',
  cron: '41 * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 3,
  missedRunImpact: 'Tables grow; nothing expired becomes valid again.',
  run: purgeExpired,
};

async function purgeExpired({ asWorker, service }: TaskContext): Promise<TaskResult> {
  const { securityLogDays } = service(Config).retention;
  return asWorker(async (unit) => {
    const [purged] = await unit.query<{
      expired: TaskResult;
      tokens: number;
      mails: number;
      alerts: number;
      events: number;
    }>(
      `SELECT app.purge_expired() AS expired, app.purge_one_time_tokens() AS tokens, app.purge_email_outbox() AS mails,
         app.purge_deliveries() AS alerts,         app.purge_security_logs($1) AS events`,
      [securityLogDays],
    );
    return {
      ...purged?.expired,
      oneTimeTokens: purged?.tokens ?? 0,
      mails: purged?.mails ?? 0,
      alerts: purged?.alerts ?? 0,
      securityEvents: purged?.events ?? 0,
    };
  });
}
