import { REFRESH_JOB_STATS } from '../../../src/analytics/refresh-job-stats.task';
import { AdminTasksService } from '../../../src/admin/api/tasks/admin-tasks.service';
import { withClient } from '../../../src/local-services/database-setup';
import { runAsUser } from '../../support/run-as-user';
import type { InProcessApi } from '../in-process-api';
import { WorkerProcess } from '../worker-process';
import { pause } from '../../support/wait-for';

/** Sizes of the scenario. */
export interface RefreshesOptions {
  /** Each round keeps the first refresh open until all others have ended. */
  readonly rounds: number;
  /** Concurrently requested runs of a round. */
  readonly requestsPerRound: number;
  /** How long, at least, both schedulers run the refresh every second, while jobs change. */
  readonly seconds: number;
}

/** The result of two worker processes. */
export interface RefreshesResult {
  readonly workers: number;
  readonly requested: { readonly runs: number; readonly refreshes: number; readonly leftToTheOther: number };
  /** doubled: scheduled times with more than one run; unaccounted: refreshes without a run. */
  readonly scheduled: {
    readonly runs: number;
    readonly refreshes: number;
    readonly doubled: number;
    readonly unaccounted: number;
  };
  /** Processes that ended at least one of these runs, by their logs. */
  readonly workersAtWork: number;
}

const TASK = REFRESH_JOB_STATS.id;
const WORKERS = 2;
const TIMEOUT_MS = 600_000;

/** Counts real refreshes, independent of the runs: a sequence is not rolled back. */
const COUNTER = `
  CREATE SEQUENCE refreshes_counted;
  CREATE FUNCTION count_refresh() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    AS $$ BEGIN PERFORM nextval('public.refreshes_counted'); RETURN NULL; END $$;
  CREATE TRIGGER count_refresh AFTER INSERT OR UPDATE ON app.view_refreshes
    FOR EACH ROW EXECUTE FUNCTION count_refresh()`;

/**
 * Runs two worker processes, each with a scheduler, that refresh user_job_stats. First both are triggered at once while
 * the first refresh is kept open, then both run a schedule of every second. PostgreSQL counts the refreshes.
 */
export async function stressRefreshes(served: InProcessApi, options: RefreshesOptions): Promise<RefreshesResult> {
  const environment = served.services.buildEnvironment();
  const workers = Array.from(
    { length: WORKERS },
    () => new WorkerProcess('statistics/refreshes-worker.ts', [], environment),
  );
  try {
    await setPaused(served, true);
    await Promise.all(workers.map((worker) => worker.start()));
    await served.query(COUNTER);
    const requested = await requestRefreshes(served, options);
    await setPaused(served, false);
    const countWorkersAtWork = (): number =>
      workers.filter(({ log }) => log.some((line) => /: run \d+ (succeeded|skipped)/.test(line))).length;
    const scheduled = await runSchedule(served, options.seconds, () => countWorkersAtWork() === WORKERS);
    return { workers: WORKERS, requested, scheduled, workersAtWork: countWorkersAtWork() };
  } finally {
    await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  }
}

async function requestRefreshes(
  served: InProcessApi,
  { rounds, requestsPerRound }: RefreshesOptions,
): Promise<RefreshesResult['requested']> {
  const before = await countRefreshes(served);
  for (let round = 0; round < rounds; round++) {
    const { last } = await readRuns(served, 0);
    await withClient(served.services.buildUrl('superuser'), async (client) => {
      // A refresh waits for this lock, and a concurrent refresh finds it running.
      await client.query('BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE');
      await Promise.all(
        Array.from({ length: requestsPerRound }, () =>
          asAdmin(() => served.get(AdminTasksService).run(TASK, 'the scenario requests it')),
        ),
      );
      await waitUntil(async () => (await readRuns(served, last)).skipped >= requestsPerRound - 1);
      await client.query('COMMIT');
    });
    await waitUntil(async () => (await readRuns(served, last)).open === 0);
  }
  const { runs, skipped } = await readRuns(served, 0);
  return { runs, refreshes: (await countRefreshes(served)) - before, leftToTheOther: skipped };
}

/** Continues until a scheduled run has refreshed and every worker has worked, up to the limit. */
async function runSchedule(
  served: InProcessApi,
  seconds: number,
  hasEveryWorkerWorked: () => boolean,
): Promise<RefreshesResult['scheduled']> {
  const [before, { last }] = [await countRefreshes(served), await readRuns(served, 0)];
  const begunAt = Date.now();
  const isOver = async (): Promise<boolean> => {
    const passedMs = Date.now() - begunAt;
    if (passedMs < seconds * 1_000) return false;
    return passedMs > TIMEOUT_MS || (hasEveryWorkerWorked() && (await readRuns(served, last)).succeeded > 0);
  };
  for (; !(await isOver()); await pause(200, 'changes arrive at intervals')) {
    await served.query('UPDATE jobs SET is_favorite = NOT is_favorite WHERE id = (SELECT min(id) FROM jobs)');
  }
  await setPaused(served, true);
  await waitUntil(async () => (await readRuns(served, last)).open === 0);
  const { runs, succeeded, instants } = await readRuns(served, last);
  const refreshes = (await countRefreshes(served)) - before;
  return { runs, refreshes, doubled: runs - instants, unaccounted: refreshes - succeeded };
}

interface Runs {
  readonly runs: number;
  readonly open: number;
  readonly succeeded: number;
  readonly skipped: number;
  readonly instants: number;
  readonly last: number;
}

async function readRuns(served: InProcessApi, after: number): Promise<Runs> {
  const [row] = await served.query<{ runs: Runs }>(
    `SELECT jsonb_build_object('runs', count(*), 'open', count(*) FILTER (WHERE ended_at IS NULL),
       'succeeded', count(*) FILTER (WHERE outcome = 'succeeded'),
       'skipped', count(*) FILTER (WHERE outcome = 'skipped'),
       'instants', count(DISTINCT scheduled_for), 'last', coalesce(max(id), 0)) AS runs
     FROM task_runs WHERE task = $1 AND id > $2`,
    [TASK, after],
  );
  return row!.runs;
}

async function countRefreshes(served: InProcessApi): Promise<number> {
  const [row] = await served.query<{ count: number }>(
    'SELECT (last_value - 1 + is_called::integer)::integer AS count FROM refreshes_counted',
  );
  return row!.count;
}

async function setPaused(served: InProcessApi, isPaused: boolean): Promise<void> {
  const tasks = served.get(AdminTasksService);
  await asAdmin(() => (isPaused ? tasks.pause(TASK, 'the scenario') : tasks.resume(TASK, 'the scenario')));
}

function asAdmin<T>(work: () => Promise<T>): Promise<T> {
  return runAsUser(0, work, { role: 'admin' });
}

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  for (
    const deadline = Date.now() + TIMEOUT_MS;
    !(await isSo());
    await pause(50, 'the workers are processes of their own')
  ) {
    if (Date.now() > deadline) throw new Error('the workers did not come to an end');
  }
}
