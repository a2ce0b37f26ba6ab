import { runInContext, type RequestContext } from '../platform/context/request-context';
import { Deliveries } from '../alerts/deliveries.service';
import type { Figures, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { SavedSearchesService } from './saved-searches.service';
import { SYNC_TASK_ID } from './sync-values';
import { SyncsService } from './syncs.service';

const MAX_SYNCS = 500;
const AT_ONCE = 5;

interface DueSync {
  readonly user_id: number;
  readonly sync_id: number;
}

/** Brings vacancies, proposals and messages of all connections up to date. */
export const SYNC_CONNECTIONS: ScheduledTask = {
  id: SYNC_TASK_ID,
  description: 'Synchronises vacancies, proposals and messages of the connections that are due, and records alerts of new matches of saved searches.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 10 * 60_000,
  retries: 0,
  whatAMissMeans: 'What users see of Upwork grows old; each synchronisation says of when it is.',
  run: syncConnections,
};

async function syncConnections(task: TaskContext): Promise<Figures | Skipped> {
  const due = await task.look((unit) => unit.query<DueSync>(`SELECT * FROM app.syncs_due($1)`, [MAX_SYNCS]));
  if (due.length === 0) return { skipped: 'nothing is due' };
  const syncs = task.service(SyncsService);
  const counts = { due: due.length, succeeded: 0, failed: 0, alerts: 0 };
  const waiting = [...due];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !task.signal.aborted; next = waiting.shift()) {
      const { user_id: userId, sync_id: syncId } = next;
      const figures = await runInContext(contextFor(userId), () => syncs.run(syncId));
      counts[figures ? 'succeeded' : 'failed'] += 1;
      if (figures?.['searches']) {
        counts.alerts += await runInContext(contextFor(userId), () => task.service(SavedSearchesService).recordAlerts());
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (counts.alerts > 0) await task.service(Deliveries).wake();
  return counts;
}

/** Works for the tenant through his own gate; the record says it was a task. */
function contextFor(userId: number): RequestContext {
  return {
    requestId: `task-${SYNC_TASK_ID}`,
    ip: null,
    userAgent: null,
    operation: `task:${SYNC_TASK_ID}`,
    actorKind: 'task',
    principal: { userId, role: 'user', sessionId: 'task' },
  };
}
