import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../../platform/scheduler/scheduled-task';

/** A process renews its calls every two seconds; after seven missed renewals it counts as dead. */
const ORPHANED_AFTER = '15 seconds';

/** Settles AI calls of API processes that died, within a minute: 15 s of silence plus the 30 s schedule. */
export const END_ORPHANED_AI_CALLS: ScheduledTask = {
  id: 'end-orphaned-ai-calls',
  description:
    'Settles AI calls whose API process died: ' +
    'marks them failed, records their usage, and releases the rest of the reservation.',
  cron: '*/30 * * * * *',
  timezone: 'UTC',
  timeoutMs: 25_000,
  retries: 0,
  missedRunImpact: 'Drafts of a crashed process stay "running", and their reservations keep reducing budgets.',
  runsAtBoot: true,
  run: endOrphanedAiCalls,
};

async function endOrphanedAiCalls({ readOnly, asWorker }: TaskContext): Promise<TaskResult | Skipped> {
  const orphaned = await countOrphanedCalls(readOnly);
  if (orphaned === 0) return { skipped: 'no call was orphaned' };
  const [row] = await asWorker((unit) =>
    unit.query<{ ended: number }>('SELECT app.end_orphaned_ai_runs($1::interval) AS ended', [ORPHANED_AFTER]),
  );
  const ended = row?.ended ?? 0;
  // More calls may have been orphaned meanwhile. PostgreSQL logs why a call cannot be settled.
  return ended < orphaned ? { ended, left: await countOrphanedCalls(readOnly) } : { ended };
}

async function countOrphanedCalls(readOnly: TaskContext['readOnly']): Promise<number> {
  const [found] = await readOnly((unit) =>
    unit.query<{ orphaned: number }>('SELECT app.orphaned_ai_runs($1::interval) AS orphaned', [ORPHANED_AFTER]),
  );
  return found?.orphaned ?? 0;
}
