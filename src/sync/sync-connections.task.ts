import { DeliveriesService } from '../webhooks/deliveries.service';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { forEachTenant, type DueItem } from '../platform/scheduler/for-each-tenant';
import { SavedSearchesService } from '../saved-searches/saved-searches.service';
import { SYNC_TASK_ID } from './sync-run';
import { SyncsService } from './syncs.service';

/** Maximum synchronisations read per poll. */
const MAX_SYNCS = 500;

/** High, because a synchronisation mostly waits for Upwork, whose rate all share. */
const MAX_CONCURRENT = 20;
const MAX_CONCURRENT_PER_TENANT = 2;

const TIMEOUT_MS = 10 * 60_000;
const FIND_DUE_FOR_MS = 5 * 60_000;
/** Long synchronisations end early and continue in the next run, so that no run exceeds its time limit. */
const STOP_AFTER_MS = 8 * 60_000;

const DUE = `SELECT user_id AS "userId", sync_id AS id FROM app.syncs_due($1)`;

/** Synchronises jobs, proposals and messages of all connections. */
export const SYNC_CONNECTIONS: ScheduledTask = {
  id: SYNC_TASK_ID,
  description:
    'Synchronises jobs, proposals and messages of the connections that are due, ' +
    'and records notifications of new matches of saved searches.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: TIMEOUT_MS,
  retries: 0,
  missedRunImpact: 'Data from Upwork becomes stale; each synchronisation shows its age.',
  run: syncConnections,
};

async function syncConnections({ readOnly, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const syncs = service(SyncsService);
  const counts = { succeeded: 0, failed: 0, postponed: 0, interrupted: 0, alerts: 0 };
  const stop = AbortSignal.any([signal, AbortSignal.timeout(STOP_AFTER_MS)]);
  const work = async ({ id }: DueItem): Promise<void> => {
    const { status, counts: stored } = await syncs.run(id, stop);
    if (status !== 'not_due') counts[status] += 1;
    // A run that did not end may have stored new matches.
    if (stored?.['searches'] || status === 'postponed' || status === 'interrupted')
      counts.alerts += await service(SavedSearchesService).recordDeliveries();
  };
  const due = await forEachTenant({
    taskId: SYNC_TASK_ID,
    signal,
    concurrency: MAX_CONCURRENT,
    perTenant: MAX_CONCURRENT_PER_TENANT,
    pollForMs: FIND_DUE_FOR_MS,
    find: () => readOnly((unit) => unit.query<DueItem>(DUE, [MAX_SYNCS])),
    work,
  }).finally(() => counts.alerts > 0 && service(DeliveriesService).requestSending());
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}
