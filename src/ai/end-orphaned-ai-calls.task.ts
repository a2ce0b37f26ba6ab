import type { Figures, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';

/** A process renews its calls every two seconds; one that has missed seven of them is not coming back. */
const UNSEEN_FOR = '15 seconds';

/** Settles the AI calls of API processes that died: with the half minute of the schedule, within a minute. */
export const END_ORPHANED_AI_CALLS: ScheduledTask = {
  id: 'end-orphaned-ai-calls',
  description: 'Settles AI calls whose API process died: they end as failed, what they had used is booked, the rest of the reservation comes back.',
  cron: '*/30 * * * * *',
  timezone: 'UTC',
  timeoutMs: 25_000,
  retries: 0,
  whatAMissMeans: 'Drafts of a crashed process stay "running", and their reservations keep budgets small.',
  soonAfterBoot: true,
  run: endOrphanedAiCalls,
};

async function endOrphanedAiCalls({ asWorker }: TaskContext): Promise<Figures | Skipped> {
  const ended = await asWorker(async (unit) => {
    const [row] = await unit.query<{ ended: number }>('SELECT app.end_orphaned_ai_runs($1::interval) AS ended', [UNSEEN_FOR]);
    return row?.ended ?? 0;
  });
  return ended === 0 ? { skipped: 'no call was orphaned' } : { ended };
}
