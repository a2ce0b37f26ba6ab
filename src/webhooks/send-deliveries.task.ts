import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { forEachTenant, type DueItem } from '../platform/scheduler/for-each-tenant';
import { DeliveriesService, SEND_DELIVERIES_TASK_ID } from './deliveries.service';

/** Maximum deliveries read per poll. */
const MAX_DELIVERIES = 500;

/** High, because a delivery mostly waits for its receiver. */
const MAX_CONCURRENT = 20;
const MAX_CONCURRENT_PER_TENANT = 2;

const TIMEOUT_MS = 5 * 60_000;
const FIND_DUE_FOR_MS = 4 * 60_000;

const DUE = `SELECT user_id AS "userId", delivery_id AS id FROM app.deliveries_due($1)`;

/** Sends recorded deliveries. */
export const SEND_DELIVERIES: ScheduledTask = {
  id: SEND_DELIVERIES_TASK_ID,
  description:
    'Sends recorded deliveries by email or to signed webhooks: ' +
    'new matches of saved searches, connections to reconnect. Retries failed ones.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: TIMEOUT_MS,
  retries: 0,
  missedRunImpact: 'Deliveries arrive later; no delivery is lost.',
  runsAtBoot: true,
  run: sendDeliveries,
};

async function sendDeliveries({ readOnly, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const deliveries = service(DeliveriesService);
  const counts = { delivered: 0, failed: 0 };
  const due = await forEachTenant({
    taskId: SEND_DELIVERIES_TASK_ID,
    signal,
    concurrency: MAX_CONCURRENT,
    perTenant: MAX_CONCURRENT_PER_TENANT,
    pollForMs: FIND_DUE_FOR_MS,
    find: () => readOnly((unit) => unit.query<DueItem>(DUE, [MAX_DELIVERIES])),
    work: async ({ id }) => {
      const isDelivered = await deliveries.deliver(id);
      if (isDelivered !== undefined) counts[isDelivered ? 'delivered' : 'failed'] += 1;
    },
  });
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}
