import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { forEachTenant, type DueItem } from '../platform/scheduler/for-each-tenant';
import { CapabilityChecksService } from './capability-checks.service';

const TASK_ID = 'check-capabilities';

/** Maximum connections read per poll. */
const MAX_CONNECTIONS = 500;

/** High, because a check mostly waits for Upwork, whose rate all share. */
const MAX_CONCURRENT = 10;
const MAX_CONCURRENT_PER_TENANT = 2;

const DUE = `SELECT user_id AS "userId", token_id AS id FROM app.capability_checks_due($1)`;

/** Checks what connections can do at Upwork: after they are created, and once a week. */
export const CHECK_CAPABILITIES: ScheduledTask = {
  id: TASK_ID,
  description: 'Checks of new connections, and weekly of all, which permissions the API key lacks at Upwork.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 0,
  missedRunImpact: 'Missing permissions are shown later, when a synchronisation fails.',
  run: checkCapabilities,
};

async function checkCapabilities({ readOnly, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const checks = service(CapabilityChecksService);
  const counts = { complete: 0, incomplete: 0, unknown: 0 };
  const due = await forEachTenant({
    taskId: TASK_ID,
    signal,
    concurrency: MAX_CONCURRENT,
    perTenant: MAX_CONCURRENT_PER_TENANT,
    pollForMs: 0,
    find: () => readOnly((unit) => unit.query<DueItem>(DUE, [MAX_CONNECTIONS])),
    work: async ({ id }) => {
      counts[await checks.check(id)] += 1;
    },
  });
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}
