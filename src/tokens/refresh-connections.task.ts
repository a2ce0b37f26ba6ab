import { DeliveriesService } from '../webhooks/deliveries.service';
import type { TaskResult, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';
import { forEachTenant, type DueItem } from '../platform/scheduler/for-each-tenant';
import { AppError } from '../platform/errors/app-error';
import { TokenRefreshService } from './token-refresh.service';

/** Refresh this long before expiry, to leave room for failures. */
const REFRESH_AHEAD = '15 minutes';

/** Refresh after this idle time: Upwork's help says an unused refresh token lasts two weeks. */
const REFRESH_WHEN_IDLE = '7 days';

/** Maximum connections read per poll. */
const MAX_CONNECTIONS = 500;

/** High, because a refresh mostly waits for the provider. */
const MAX_CONCURRENT = 10;
const MAX_CONCURRENT_PER_TENANT = 2;

const TASK_ID = 'refresh-connections';
const TIMEOUT_MS = 5 * 60_000;
const FIND_DUE_FOR_MS = 4 * 60_000;

const DUE = `SELECT user_id AS "userId", token_id AS id FROM app.connections_due($1, $2, $3)`;

/** Refreshes connections before they expire. Notifies an owner once when they must reconnect. */
export const REFRESH_CONNECTIONS: ScheduledTask = {
  id: TASK_ID,
  description: 'Refreshes connections that expire soon or were idle for a week, and emails users who must reconnect.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: TIMEOUT_MS,
  retries: 0,
  missedRunImpact: 'Synchronisation stops when connections expire; after two weeks users must reconnect.',
  runsAtBoot: true,
  run: refreshConnections,
};

async function refreshConnections(task: TaskContext): Promise<TaskResult> {
  const { readOnly, service, signal } = task;
  const refresher = service(TokenRefreshService);
  const counts = { refreshed: 0, failed: 0, reconnectNeeded: 0 };
  const run = forEachTenant({
    taskId: TASK_ID,
    signal,
    concurrency: MAX_CONCURRENT,
    perTenant: MAX_CONCURRENT_PER_TENANT,
    pollForMs: FIND_DUE_FOR_MS,
    find: () => readOnly((unit) => unit.query<DueItem>(DUE, [REFRESH_AHEAD, REFRESH_WHEN_IDLE, MAX_CONNECTIONS])),
    work: async ({ id }) => {
      counts[await runRefresh(() => refresher.refresh(id))] += 1;
    },
  });
  // Owners are notified even when refreshing failed with an unexpected error.
  const [refreshes] = await Promise.allSettled([run]);
  const reported = await notifyLostConnections(task);
  if (refreshes.status === 'rejected') throw refreshes.reason;
  return { due: refreshes.value, ...counts, reported };
}

async function runRefresh(refresh: () => Promise<unknown>): Promise<'refreshed' | 'failed' | 'reconnectNeeded'> {
  try {
    await refresh();
    return 'refreshed';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code === 'token.reconnect_needed' ? 'reconnectNeeded' : 'failed';
  }
}

/** Records the emails and marks the connections in one transaction, so each owner is notified exactly once. */
async function notifyLostConnections({ asWorker, readOnly, service }: TaskContext): Promise<number> {
  const waits = await readOnly((unit) => unit.query<{ waits: boolean }>(`SELECT app.has_lost_connections() AS waits`));
  if (!waits[0]?.waits) return 0;
  const [recorded] = await asWorker((unit) =>
    unit.query<{ emails: number }>(`SELECT app.record_reconnect_deliveries($1) AS emails`, [MAX_CONNECTIONS]),
  );
  await service(DeliveriesService).requestSending();
  return recorded?.emails ?? 0;
}
