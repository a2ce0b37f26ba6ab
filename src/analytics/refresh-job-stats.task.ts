import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';

/**
 * Rows of jobs ever written, as PostgreSQL counts them for itself: costs nothing to ask. It runs up to ten
 * seconds behind and begins anew after a crash, so it tells that something changed, if not at once; the hourly refresh is
 * for the rest.
 */
const WRITES = `
  SELECT pg_stat_get_tuples_inserted(t) + pg_stat_get_tuples_updated(t) + pg_stat_get_tuples_deleted(t) AS writes,
    (SELECT refreshed_at < now() - interval '1 hour' FROM app.view_refreshes WHERE view_name = 'user_job_stats') AS old
  FROM (SELECT 'public.jobs'::regclass::oid AS t) jobs`;

const DURATION = `SELECT duration_ms FROM app.view_refreshes WHERE view_name = 'user_job_stats'`;

/** Keeps user_job_stats fresh. Readers never wait for it; a second refresh at the same time finds the first and leaves. */
export const REFRESH_JOB_STATS: ScheduledTask = {
  id: 'refresh-job-stats',
  description: 'Counts the jobs of every user anew for the statistics (user_job_stats).',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 50_000,
  retries: 2,
  missedRunImpact: 'Statistics grow old; each answer says of when they are.',
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
  // Who asks for a refresh has just seen something change, perhaps before the counter did.
  if (startedBy === 'schedule' && isUnchanged) return { skipped: 'no job has changed' };
  return asWorker(async (unit): Promise<TaskResult | Skipped> => {
    const [refreshed] = await unit.query<{ done: boolean }>('SELECT refresh_user_job_stats() AS done');
    if (!refreshed?.done) return { skipped: 'another session refreshes' };
    const [view] = await unit.query<{ duration_ms: number }>(DURATION);
    return { jobWrites, refreshMs: view?.duration_ms ?? null };
  });
}
