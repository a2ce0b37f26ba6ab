import { DeliveriesService } from '../webhooks/deliveries.service';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { forEachTenant, type DueItem } from '../platform/scheduler/for-each-tenant';
import { SavedSearchesService } from '../saved-searches/saved-searches.service';
import { SYNC_TASK_ID } from './sync-run';
import { SyncsService } from './syncs.service';

/** A look takes so many. */
const MAX_SYNCS = 500;

/** Most of a synchronisation is waiting for Upwork, whose rate all of them share. */
const MAX_CONCURRENT = 20;
const MAX_CONCURRENT_PER_TENANT = 2;

const TIMEOUT_MS = 10 * 60_000;
const FIND_DUE_FOR_MS = 5 * 60_000;

const DUE = `SELECT user_id AS "userId", sync_id AS id FROM app.syncs_due($1)`;

/** Brings vacancies, proposals and messages of all connections up to date. */
export const SYNC_CONNECTIONS: ScheduledTask = {
  id: SYNC_TASK_ID,
  description:
    'Synchronises vacancies, proposals and messages of the connections that are due, and records alerts of new matches of saved searches.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: TIMEOUT_MS,
  retries: 0,
  missedRunImpact: 'What users see of Upwork grows old; each synchronisation says of when it is.',
  run: syncConnections,
};

async function syncConnections({ readOnly: look, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const syncs = service(SyncsService);
  const counts = { succeeded: 0, failed: 0, alerts: 0 };
  const due = await forEachTenant({
    taskId: SYNC_TASK_ID,
    signal,
    concurrency: MAX_CONCURRENT,
    perTenant: MAX_CONCURRENT_PER_TENANT,
    pollForMs: FIND_DUE_FOR_MS,
    find: () => look((unit) => unit.query<DueItem>(DUE, [MAX_SYNCS])),
    work: async ({ id }) => {
      const figures = await syncs.run(id);
      counts[figures ? 'succeeded' : 'failed'] += 1;
      if (figures?.['searches']) counts.alerts += await service(SavedSearchesService).recordDeliveries();
    },
  });
  if (counts.alerts > 0) await service(DeliveriesService).requestSending();
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}
