import { setTimeout as sleep } from 'node:timers/promises';
import { FairSemaphore } from '../concurrency/fair-semaphore';
import { runInContext, type RequestContext } from '../context/request-context';

/** How often a run that still works looks for what has become due. */
const POLL_INTERVAL_MS = 1_000;

/** Something of a tenant that is due. */
export interface DueItem {
  readonly userId: number;
  readonly id: number;
}

/** Work for many tenants in one run of a task. */
export interface TenantWork {
  readonly taskId: string;
  readonly signal: AbortSignal;
  /** Running at once, of all tenants and of one. */
  readonly concurrency: number;
  readonly perTenant: number;
  /** For so long the run looks for more; afterwards it only ends what it began. */
  readonly pollForMs: number;
  /** Returns what is due now. */
  readonly find: () => Promise<readonly DueItem[]>;
  /** Works on one item as its tenant. */
  readonly work: (item: DueItem) => Promise<void>;
}

/**
 * Works on what is due, tenants in turn, each item once a run. While something slow still runs, it also takes what becomes
 * due meanwhile, so that one tenant's slow service delays nobody else. An item that fails leaves the others alone.
 * @returns how many items there were
 * @throws the first error, after all others have ended
 */
export async function forEachTenant({
  taskId,
  signal,
  concurrency: atOnce,
  perTenant,
  pollForMs: lookForMs,
  find,
  work,
}: TenantWork): Promise<number> {
  const turns = new FairSemaphore({ resource: taskId, perKey: perTenant, total: atOnce });
  const taken = new Set<number>();
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  const begin = (item: DueItem): void => {
    taken.add(item.id);
    const run = turns
      .run(item.userId, async () => {
        if (!signal.aborted) await runInContext(contextFor(taskId, item.userId), () => work(item));
      })
      .catch((error: unknown) => void errors.push(error))
      .finally(() => running.delete(run));
    running.add(run);
  };
  const until = Date.now() + lookForMs;
  do {
    for (const item of await find()) if (!taken.has(item.id)) begin(item);
    await Promise.race([Promise.all(running), sleep(POLL_INTERVAL_MS, undefined, { ref: false })]);
  } while (running.size > 0 && !signal.aborted && Date.now() < until);
  await Promise.all(running);
  if (errors.length > 0) throw errors[0];
  return taken.size;
}

/** Works for the tenant through the tenant's own gate; the record says that it was a task. */
function contextFor(taskId: string, userId: number): RequestContext {
  return {
    requestId: `task-${taskId}`,
    ip: null,
    userAgent: null,
    operation: `task:${taskId}`,
    actorKind: 'task',
    principal: { userId, role: 'user', sessionId: 'task' },
  };
}
