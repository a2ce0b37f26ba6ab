import { Deliveries } from '../alerts/deliveries.service';
import type { Figures, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { runForTenants, type DueItem } from '../platform/scheduler/tenant-runs';
import { SavedSearchesService } from './saved-searches.service';
import { SYNC_TASK_ID } from './sync-values';
import { SyncsService } from './syncs.service';

/** A look takes so many. */
const MAX_SYNCS = 500;

/** Most of a synchronisation is waiting for Upwork, whose rate all of them share. */
const AT_ONCE = 20;
const PER_TENANT = 2;

const TIMEOUT_MS = 10 * 60_000;
const LOOK_FOR_MS = 5 * 60_000;

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
  whatAMissMeans: 'What users see of Upwork grows old; each synchronisation says of when it is.',
  run: syncConnections,
};

async function syncConnections({ look, service, signal }: TaskContext): Promise<Figures | Skipped> {
  const syncs = service(SyncsService);
  const counts = { succeeded: 0, failed: 0, alerts: 0 };
  const due = await runForTenants({
    taskId: SYNC_TASK_ID,
    signal,
    atOnce: AT_ONCE,
    perTenant: PER_TENANT,
    lookForMs: LOOK_FOR_MS,
    find: () => look((unit) => unit.query<DueItem>(DUE, [MAX_SYNCS])),
    work: async ({ id }) => {
      const figures = await syncs.run(id);
      counts[figures ? 'succeeded' : 'failed'] += 1;
      if (figures?.['searches']) counts.alerts += await service(SavedSearchesService).recordAlerts();
    },
  });
  if (counts.alerts > 0) await service(Deliveries).wake();
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}
