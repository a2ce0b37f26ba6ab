import { Config } from '../config/config';
import type { TaskResult, ScheduledTask, TaskContext } from './scheduled-task';

/** Deletes expired rows. The SQL functions it calls contain the retention rules. */
export const PURGE_EXPIRED: ScheduledTask = {
  id: 'purge-expired',
  description:
    'Deletes idempotency keys and local emails after a day, records of sent emails and alerts after 30 days, ' +
    'run histories after 90 days, security events after SECURITY_LOG_RETENTION_DAYS, and expired links.',
  cron: '41 * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 3,
  missedRunImpact: 'Tables grow. Expired rows stay invalid.',
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
         app.purge_deliveries() AS alerts, app.purge_security_logs($1) AS events`,
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
