import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../../platform/scheduler/scheduled-task';

/** A process renews its calls every two seconds; one that has missed seven of them is not coming back. */
const ORPHANED_AFTER = '15 seconds';

/** Settles the AI calls of API processes that died: with the half minute of the schedule, within a minute. */
export const END_ORPHANED_AI_CALLS: ScheduledTask = {
  id: 'end-orphaned-ai-calls',
  description:
    'Settles AI calls whose API process died: they end as failed, what they had used is booked, the rest of the reservation comes back.',
  cron: '*/30 * * * * *',
  timezone: 'UTC',
  timeoutMs: 25_000,
  retries: 0,
  missedRunImpact: 'Drafts of a crashed process stay "running", and their reservations keep budgets small.',
  runsAtBoot: true,
  run: endOrphanedAiCalls,
};

async function endOrphanedAiCalls({ readOnly: look, asWorker }: TaskContext): Promise<TaskResult | Skipped> {
  const orphaned = await countOrphanedCalls(look);
  if (orphaned === 0) return { skipped: 'no call was orphaned' };
  const [row] = await asWorker((unit) =>
    unit.query<{ ended: number }>('SELECT app.end_orphaned_ai_runs($1::interval) AS ended', [ORPHANED_AFTER]),
  );
  const ended = row?.ended ?? 0;
  // Others may have been orphaned meanwhile; one that stays cannot be settled, and PostgreSQL's log says why.
  return ended < orphaned ? { ended, left: await countOrphanedCalls(look) } : { ended };
}

async function countOrphanedCalls(look: TaskContext['readOnly']): Promise<number> {
  const [found] = await look((unit) =>
    unit.query<{ orphaned: number }>('SELECT app.orphaned_ai_runs($1::interval) AS orphaned', [ORPHANED_AFTER]),
  );
  return found?.orphaned ?? 0;
}
