import { AppError } from '../platform/errors/app-error';
import { forEachTenant, type DueItem } from '../platform/scheduler/for-each-tenant';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../platform/scheduler/scheduled-task';
import { UpworkError } from '../upwork/upwork.error';
import { MessageDeliveryService } from './message-delivery.service';

/** Maximum messages read per poll. */
const MAX_MESSAGES = 500;

/** High, because a search mostly waits for Upwork, whose rate all share. */
const MAX_CONCURRENT = 10;

const TASK_ID = 'check-deliveries';
const TIMEOUT_MS = 10 * 60_000;
/** Searches begin in this time. Each can wait two minutes for a slot, and the others are left to the next run. */
const START_FOR_MS = 5 * 60_000;

const DUE = `SELECT user_id AS "userId", message_id AS id FROM app.undecided_messages_due($1)`;

/** Searches rooms on Upwork for replies whose call got no answer. It never sends one again. */
export const CHECK_DELIVERIES: ScheduledTask = {
  id: TASK_ID,
  description: 'Searches conversations on Upwork for replies whose delivery is unknown.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: TIMEOUT_MS,
  retries: 0,
  missedRunImpact: 'The delivery of replies without an answer of Upwork stays unknown.',
  runsAtBoot: true,
  run: checkDeliveries,
};

async function checkDeliveries({ readOnly, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const counts = { found: 0, missing: 0, postponed: 0, failed: 0 };
  const stop = AbortSignal.timeout(START_FOR_MS);
  const due = await forEachTenant({
    taskId: TASK_ID,
    signal,
    concurrency: MAX_CONCURRENT,
    // Two searches of one tenant could read the same room.
    perTenant: 1,
    pollForMs: START_FOR_MS,
    find: () => readOnly((unit) => unit.query<DueItem>(DUE, [MAX_MESSAGES])),
    work: async ({ id }) => {
      if (stop.aborted) return;
      const isFound = await checkOne(service(MessageDeliveryService), id);
      if (isFound !== undefined) counts[isFound] += 1;
    },
  });
  return due === 0 ? { skipped: 'nothing is due' } : { due, ...counts };
}

async function checkOne(
  deliveries: MessageDeliveryService,
  id: number,
): Promise<'found' | 'missing' | 'postponed' | 'failed' | undefined> {
  try {
    const isFound = await deliveries.check(id);
    return isFound === undefined ? undefined : isFound ? 'found' : 'missing';
  } catch (error) {
    if (error instanceof UpworkError && error.kind === 'budget_used') return 'postponed';
    if (error instanceof UpworkError || error instanceof AppError) return 'failed';
    throw error;
  }
}
