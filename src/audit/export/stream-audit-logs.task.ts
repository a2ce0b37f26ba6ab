import { Config } from '../../platform/config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../../platform/scheduler/scheduled-task';
import { LogStream } from './log-stream';
import { createStreamTarget } from './stream-targets';

/** Sends sealed rows to the SIEM of AUDIT_STREAM. */
export const STREAM_AUDIT_LOGS: ScheduledTask = {
  id: 'stream-audit-logs',
  description: 'Sends sealed rows of the audit and security logs to the file or syslog server of AUDIT_STREAM.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 15 * 60_000,
  retries: 0,
  missedRunImpact: 'The receiver gets the rows later; none is lost.',
  run: streamAuditLogs,
};

async function streamAuditLogs({ service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const { audit, http } = service(Config);
  if (audit.stream === undefined) return { skipped: 'AUDIT_STREAM is not set' };
  const target = createStreamTarget(audit.stream, new URL(http.publicUrl).hostname);
  const stream = new LogStream(service(SystemDatabase), target, audit.stream);
  let rows = 0;
  for (let sent = 1; sent > 0; rows += sent) {
    signal.throwIfAborted();
    sent = await stream.sendNext();
  }
  return rows === 0 ? { skipped: 'all sealed rows were sent' } : { rows };
}
