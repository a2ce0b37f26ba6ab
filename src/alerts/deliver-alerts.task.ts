import type { Figures, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { runForTenants, type DueItem } from '../platform/scheduler/tenant-runs';
import { Deliveries, DELIVER_ALERTS_ID } from './deliveries.service';

/** A look takes so many. */
const MAX_ALERTS = 500;

/** Most of a delivery is waiting for its receiver. */
const AT_ONCE = 20;
const PER_TENANT = 2;

const TIMEOUT_MS = 5 * 60_000;
const LOOK_FOR_MS = 4 * 60_000;

const DUE = `SELECT user_id AS "userId", delivery_id AS id FROM app.alerts_due($1)`;

/** Sends what users are to be told. */
export const DELIVER_ALERTS: ScheduledTask = {
  id: DELIVER_ALERTS_ID,
  description:
    'Sends recorded alerts by mail or to signed webhooks: new matches of saved searches, connections to be made anew; tries again what did not arrive.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: TIMEOUT_MS,
  retries: 0,
  whatAMissMeans: 'Alerts come later; none is lost.',
  soonAfterBoot: true,
  run: deliverAlerts,
};

async function deliverAlerts({ look, service, signal }: TaskContext): Promise<Figures | Skipped> {
  const deliveries = service(Deliveries);
  const counts = { delivered: 0, failed: 0 };
  const due = await runForTenants({
    taskId: DELIVER_ALERTS_ID,
    signal,
    atOnce: AT_ONCE,
    perTenant: PER_TENANT,
    lookForMs: LOOK_FOR_MS,
    find: () => look((unit) => unit.query<DueItem>(DUE, [MAX_ALERTS])),
    work: async ({ id }) => {
      const hasArrived = await deliveries.deliver(id);
      if (hasArrived !== undefined) counts[hasArrived ? 'delivered' : 'failed'] += 1;
    },
  });
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}
