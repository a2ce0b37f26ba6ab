import { runInContext, type RequestContext } from '../platform/context/request-context';
import type { Figures, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { Deliveries, DELIVER_ALERTS_ID } from './deliveries.service';

/** A run takes so many; the next minute brings the rest. */
const MAX_ALERTS = 500;
const AT_ONCE = 5;

interface DueAlert {
  readonly user_id: number;
  readonly delivery_id: number;
}

/** Sends what users are to be told. */
export const DELIVER_ALERTS: ScheduledTask = {
  id: DELIVER_ALERTS_ID,
  description: 'Sends recorded alerts by mail or to signed webhooks: new matches of saved searches, connections to be made anew; tries again what did not arrive.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 0,
  whatAMissMeans: 'Alerts come later; none is lost.',
  soonAfterBoot: true,
  run: deliverAlerts,
};

async function deliverAlerts({ look, service, signal }: TaskContext): Promise<Figures | Skipped> {
  const due = await look((unit) => unit.query<DueAlert>(`SELECT * FROM app.alerts_due($1)`, [MAX_ALERTS]));
  if (due.length === 0) return { skipped: 'nothing is due' };
  const deliveries = service(Deliveries);
  const counts = { due: due.length, delivered: 0, failed: 0 };
  const waiting = [...due];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const { user_id: userId, delivery_id: id } = next;
      const arrived = await runInContext(contextFor(userId), () => deliveries.deliver(id));
      if (arrived !== undefined) counts[arrived ? 'delivered' : 'failed'] += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return counts;
}

/** Works for the tenant through his own gate; the record says it was a task. */
function contextFor(userId: number): RequestContext {
  return {
    requestId: `task-${DELIVER_ALERTS_ID}`,
    ip: null,
    userAgent: null,
    operation: `task:${DELIVER_ALERTS_ID}`,
    actorKind: 'task',
    principal: { userId, role: 'user', sessionId: 'task' },
  };
}
