import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';

/**
 * PostgreSQL's own count of written rows of jobs, which is cheap to read. It lags by up to ten seconds and restarts
 * after a crash, so it may detect a change late; the hourly refresh covers the rest.
 */
const WRITES = `
  SELECT pg_stat_get_tuples_inserted(t) + pg_stat_get_tuples_updated(t) + pg_stat_get_tuples_deleted(t) AS writes,
    (SELECT refreshed_at < now() - interval '1 hour' FROM app.view_refreshes WHERE view_name = 'user_job_stats') AS old
  FROM (SELECT 'public.jobs'::regclass::oid AS t) jobs`;

const DURATION = `SELECT duration_ms FROM app.view_refreshes WHERE view_name = 'user_job_stats'`;

/** Refreshes user_job_stats. Readers never wait for it; a concurrent second refresh ends at once. */
export const REFRESH_JOB_STATS: ScheduledTask = {
  id: 'refresh-job-stats',
  description: 'Refreshes the job statistics of all users (user_job_stats).',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 50_000,
  retries: 2,
  missedRunImpact: 'Job statistics are out of date; each response contains their time.',
  runsAtBoot: true,
  run: refreshJobStats,
};

async function refreshJobStats({
  startedBy,
  lastResult: lastFigures,
  readOnly: look,
  asWorker,
}: TaskContext): Promise<TaskResult | Skipped> {
  const [state] = await look((unit) => unit.query<{ writes: number; old: boolean | null }>(WRITES));
  const jobWrites = state?.writes ?? 0;
  const isUnchanged = jobWrites === lastFigures?.jobWrites && state?.old === false;
  // A requested refresh may follow a change that the counter does not have yet.
  if (startedBy === 'schedule' && isUnchanged) return { skipped: 'no job has changed' };
  return asWorker(async (unit): Promise<TaskResult | Skipped> => {
    const [refreshed] = await unit.query<{ done: boolean }>('SELECT refresh_user_job_stats() AS done');
    if (!refreshed?.done) return { skipped: 'another session refreshes' };
    const [view] = await unit.query<{ duration_ms: number }>(DURATION);
    return { jobWrites, refreshMs: view?.duration_ms ?? null };
  });
}
