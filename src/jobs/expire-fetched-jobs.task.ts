import { Config } from '../platform/config/config';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';

/** Jobs per transaction, each with an audit row. */
const BATCH = 1_000;

/** Deletes the content of fetched jobs after the time that Upwork's terms allow. */
export const EXPIRE_FETCHED_JOBS: ScheduledTask = {
  id: 'expire-fetched-jobs',
  description:
    'Deletes the content of fetched jobs that no synchronisation has found for UPWORK_CACHE_HOURS, except favourites ' +
    'and jobs with a proposal, a message or an AI draft.',
  cron: '17 * * * *',
  timezone: 'UTC',
  timeoutMs: 10 * 60_000,
  retries: 3,
  missedRunImpact: "Fetched jobs are stored longer than Upwork's terms allow.",
  run: expireFetchedJobs,
};

async function expireFetchedJobs({ asWorker, service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const { cacheHours } = service(Config).upwork;
  if (cacheHours === 0) return { skipped: 'UPWORK_CACHE_HOURS is 0' };
  let expired = 0;
  for (let batch = BATCH; batch === BATCH; expired += batch) {
    signal.throwIfAborted();
    const [row] = await asWorker((unit) =>
      unit.query<{ expired: number }>(`SELECT app.expire_fetched_jobs(make_interval(hours => $1), $2) AS expired`, [
        cacheHours,
        BATCH,
      ]),
    );
    batch = row?.expired ?? 0;
  }
  return { expired };
}
