import type { Figures, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';

/** A process renews its calls every two seconds; one that has missed seven of them is not coming back. */
const UNSEEN_FOR = '15 seconds';

/** Settles the AI calls of API processes that died: with the half minute of the schedule, within a minute. */
export const END_ORPHANED_AI_CALLS: ScheduledTask = {
  id: 'end-orphaned-ai-calls',
  description:
    'Settles AI calls whose API process died: they end as failed, what they had used is booked, the rest of the reservation comes back.',
  cron: '*/30 * * * * *',
  timezone: 'UTC',
  timeoutMs: 25_000,
  retries: 0,
  whatAMissMeans: 'Drafts of a crashed process stay "running", and their reservations keep budgets small.',
  soonAfterBoot: true,
  run: endOrphanedAiCalls,
};

async function endOrphanedAiCalls({ look, asWorker }: TaskContext): Promise<Figures | Skipped> {
  const orphaned = await orphanedCalls(look);
  if (orphaned === 0) return { skipped: 'no call was orphaned' };
  const [row] = await asWorker((unit) =>
    unit.query<{ ended: number }>('SELECT app.end_orphaned_ai_runs($1::interval) AS ended', [UNSEEN_FOR]),
  );
  const ended = row?.ended ?? 0;
  // Others may have been orphaned meanwhile; one that stays cannot be settled, and PostgreSQL's log says why.
  return ended < orphaned ? { ended, left: await orphanedCalls(look) } : { ended };
}

async function orphanedCalls(look: TaskContext['look']): Promise<number> {
  const [found] = await look((unit) =>
    unit.query<{ orphaned: number }>('SELECT app.orphaned_ai_runs($1::interval) AS orphaned', [UNSEEN_FOR]),
  );
  return found?.orphaned ?? 0;
}
