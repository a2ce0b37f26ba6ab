import { setTimeout as sleep } from 'node:timers/promises';
import { FairSemaphore } from '../concurrency/fair-semaphore';
import { runInContext, type RequestContext } from '../context/request-context';

/** Interval at which a running task polls for newly due items. */
const POLL_INTERVAL_MS = 1_000;

/** A due item of a tenant. */
export interface DueItem {
  readonly userId: number;
  readonly id: number;
}

/** The work for many tenants in one run of a task. */
export interface TenantWork {
  readonly taskId: string;
  readonly signal: AbortSignal;
  /** Maximum running at once, of all tenants; `perTenant` of one. */
  readonly concurrency: number;
  readonly perTenant: number;
  /** Time during which the run polls for more items; afterwards it only finishes started ones. */
  readonly pollForMs: number;
  /** Returns the items that are due now. */
  readonly find: () => Promise<readonly DueItem[]>;
  /** Processes one item as its tenant. */
  readonly work: (item: DueItem) => Promise<void>;
}

/**
 * Processes the due items, tenants in turn, each item once per run. While slow items run, it also starts newly due
 * ones, so that one tenant's slow service delays no other tenant. A failed item does not affect the others.
 * @returns the number of items
 * @throws the first error, after all others have ended
 */
export async function forEachTenant({
  taskId,
  signal,
  concurrency,
  perTenant,
  pollForMs,
  find,
  work,
}: TenantWork): Promise<number> {
  const semaphore = new FairSemaphore({ resource: taskId, perKey: perTenant, total: concurrency });
  const started = new Set<number>();
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  const start = (item: DueItem): void => {
    started.add(item.id);
    const run = semaphore
      .run(item.userId, async () => {
        if (!signal.aborted) await runInContext(buildContext(taskId, item.userId), () => work(item));
      })
      .catch((error: unknown) => void errors.push(error))
      .finally(() => running.delete(run));
    running.add(run);
  };
  const until = Date.now() + pollForMs;
  do {
    for (const item of await find()) if (!started.has(item.id)) start(item);
    await Promise.race([Promise.all(running), sleep(POLL_INTERVAL_MS, undefined, { ref: false })]);
  } while (running.size > 0 && !signal.aborted && Date.now() < until);
  await Promise.all(running);
  if (errors.length > 0) throw errors[0];
  return started.size;
}

/** Builds the context of a task that works as the tenant; audit rows name the task as actor. */
function buildContext(taskId: string, userId: number): RequestContext {
  return {
    requestId: `task-${taskId}`,
    ip: null,
    userAgent: null,
    operation: `task:${taskId}`,
    actorKind: 'task',
    principal: { userId, role: 'user', sessionId: 'task' },
  };
}
