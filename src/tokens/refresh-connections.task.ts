import { Deliveries } from '../alerts/deliveries.service';
import { runInContext, type RequestContext } from '../platform/context/request-context';
import type { Figures, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';
import { AppError } from '../platform/errors/app-error';
import { TokenRefresher } from './token-refresh.service';

/** Ahead of expiry, with room for failures. */
const AHEAD = '15 minutes';

/** Upwork's help says a refresh token lasts two weeks unused. */
const KEEP_ALIVE = '7 days';

/** A run takes so many; the next minute brings the rest. */
const MAX_CONNECTIONS = 500;
const AT_ONCE = 5;

interface DueConnection {
  readonly user_id: number;
  readonly token_id: number;
}

/** Keeps connections alive: refreshes each before it expires, and tells its owner once when only he can help. */
export const REFRESH_CONNECTIONS: ScheduledTask = {
  id: 'refresh-connections',
  description: 'Refreshes the connections that expire soon or were idle for a week, and mails whoever must connect anew.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 0,
  whatAMissMeans: 'Synchronisation stops when connections expire; after two weeks users must connect anew.',
  soonAfterBoot: true,
  run: refreshConnections,
};

async function refreshConnections(task: TaskContext): Promise<Figures> {
  const due = await task.look((unit) =>
    unit.query<DueConnection>(`SELECT * FROM app.connections_due($1, $2, $3)`, [AHEAD, KEEP_ALIVE, MAX_CONNECTIONS]),
  );
  const refresher = task.service(TokenRefresher);
  const counts = { due: due.length, refreshed: 0, failed: 0, reconnectNeeded: 0 };
  const waiting = [...due];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !task.signal.aborted; next = waiting.shift()) {
      const { user_id: userId, token_id: tokenId } = next;
      counts[await outcomeOf(() => runInContext(contextFor(userId), () => refresher.refresh(tokenId)))] += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const reported = await report(task);
  return { ...counts, reported };
}

async function outcomeOf(refresh: () => Promise<unknown>): Promise<'refreshed' | 'failed' | 'reconnectNeeded'> {
  try {
    await refresh();
    return 'refreshed';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code === 'token.reconnect_needed' ? 'reconnectNeeded' : 'failed';
  }
}

/** Marked in the transaction that records the letters: each owner is told, and once. */
async function report({ asWorker, look, service }: TaskContext): Promise<number> {
  const waits = await look((unit) =>
    unit.query<{ waits: boolean }>(`SELECT app.has_connections_to_report() AS waits`),
  );
  if (!waits[0]?.waits) return 0;
  const [recorded] = await asWorker((unit) =>
    unit.query<{ letters: number }>(`SELECT app.report_lost_connections($1) AS letters`, [MAX_CONNECTIONS]),
  );
  await service(Deliveries).wake();
  return recorded?.letters ?? 0;
}

/** Works for the tenant through his own gate; the record says it was a task. */
function contextFor(userId: number): RequestContext {
  return {
    requestId: 'task-refresh-connections',
    ip: null,
    userAgent: null,
    operation: 'task:refresh-connections',
    actorKind: 'task',
    principal: { userId, role: 'user', sessionId: 'task' },
  };
}
