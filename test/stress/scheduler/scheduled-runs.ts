import { withClient } from '../../../src/local-services/database-setup';
import { BenchServerProcess } from '../../bench/server-process';
import { buildServers } from '../build-servers';
import { createStressServices } from '../stress-services';
import { WorkerProcess } from '../worker-process';
import { pause } from '../../support/wait-for';

/** A run of a dead worker is taken over when its lease and the queue's timeout have ended. */
const TIMEOUT_MS = 600_000;

/** A worker that reads this line holds its further runs, and prints how many it holds. */
export const HOLD_LINE = 'hold';
export const HOLDING_LINE = 'holding ';

/** Concurrent runs of a worker: when it holds as many, it takes no entry from the queue. */
const RUNS_PER_WORKER = 4;

/** Sizes of the scenario. */
export interface ScheduledRunsOptions {
  readonly apis: number;
  readonly workers: number;
  readonly tasks: number;
  /** Each task runs at every second that this divides. */
  readonly everySeconds: number;
  /** Minimum number of scheduled runs of all tasks together. */
  readonly firings: number;
  /** How often a worker, in rotation, is killed with SIGKILL and restarted. */
  readonly killEveryMs: number;
  /** TASK_LEASE_SECONDS of the workers; the product's default if absent. */
  readonly leaseSeconds?: number;
}

/** The result; the middle four numbers must be 0. */
export interface ScheduledRunsResult {
  readonly firings: number;
  readonly kills: number;
  /** Scheduled times without a run, unless the run before them started later: the next run catches up. */
  readonly missing: number;
  readonly unfinished: number;
  /** Scheduled times with more than one row in the history. */
  readonly doubled: number;
  /** Runs whose end more than one worker wrote, by the workers' logs. */
  readonly completedTwice: number;
  /** Runs whose worker died and that another worker took over. */
  readonly takenOver: number;
  /** Ends by the workers' logs; a worker killed right after its COMMIT logged none. */
  readonly loggedEnds: number;
  /** Delay from due time to start, without runs that were taken over. */
  readonly longestLatenessMs: number;
}

/**
 * Runs scheduled tasks while several APIs are running and workers are killed in rotation. Every scheduled time must
 * have one row in the history, which succeeded, and no end may be written twice.
 */
export async function stressScheduledRuns(options: ScheduledRunsOptions): Promise<ScheduledRunsResult> {
  buildServers();
  const services = createStressServices();
  await services.start();
  const { leaseSeconds } = options;
  const environment = {
    ...services.buildEnvironment(),
    ...(leaseSeconds !== undefined && { TASK_LEASE_SECONDS: String(leaseSeconds) }),
  };
  const workers = Array.from(
    { length: options.workers },
    () =>
      new WorkerProcess(
        'scheduler/scheduled-runs-worker.ts',
        [String(options.tasks), String(options.everySeconds)],
        environment,
      ),
  );
  const apis: BenchServerProcess[] = [];
  try {
    await Promise.all(workers.map((worker) => worker.start()));
    for (let i = 0; i < options.apis; i++)
      apis.push(await BenchServerProcess.start('product', services.buildEnvironment()));
    const stepMs = options.everySeconds * 1_000;
    const from = Math.ceil(Date.now() / stepMs) * stepMs + stepMs;
    const planned = from + Math.ceil(options.firings / options.tasks) * stepMs;
    const kills = await killInTurns(workers, options.killEveryMs, from, planned);
    const to = Math.max(planned, Math.ceil(Date.now() / stepMs) * stepMs);
    return {
      kills,
      ...(await compare(
        services.buildUrl('superuser'),
        { ...options, stepMs, from, to },
        workers.flatMap(({ log }) => log),
      )),
    };
  } finally {
    await Promise.all([...workers.map((worker) => worker.end('SIGTERM')), ...apis.map((api) => api.stop())]);
    await services.stop();
  }
}

/** Kills a worker that holds runs, at least one, and restarts it. */
async function killInTurns(
  workers: readonly WorkerProcess[],
  everyMs: number,
  from: number,
  until: number,
): Promise<number> {
  await pause(Math.max(0, from - Date.now()), 'the kills begin at a time of the schedule');
  let kills = 0;
  do {
    await pause(Math.max(0, Math.min(everyMs, until - Date.now())), 'the kills have an interval');
    const worker = workers[kills % workers.length]!;
    const held = worker.waitForNextLine(`${HOLDING_LINE}${RUNS_PER_WORKER}`);
    worker.writeLine(HOLD_LINE);
    await held;
    await worker.end('SIGKILL');
    await worker.start();
    kills += 1;
  } while (Date.now() < until);
  return kills;
}

interface RunRow {
  readonly id: string;
  readonly task: string;
  readonly at: Date;
  readonly outcome: string;
  readonly attempts: number;
  /** When its first attempt started. */
  readonly first_start: Date;
  readonly late_ms: number;
}

interface Window {
  readonly tasks: number;
  readonly stepMs: number;
  readonly from: number;
  readonly to: number;
}

async function compare(
  url: string,
  window: Window,
  log: readonly string[],
): Promise<Omit<ScheduledRunsResult, 'kills'>> {
  const rows = await waitForEndedRuns(url, window);
  const seen = new Map<string, number>();
  for (const { task, at } of rows) seen.set(`${task} ${at.getTime()}`, (seen.get(`${task} ${at.getTime()}`) ?? 0) + 1);
  const ends = new Map<string, number>();
  for (const line of log) {
    const [, id] = /: run (\d+) succeeded after \d+ ms (?!.*another worker)/.exec(line) ?? [];
    if (id !== undefined) ends.set(id, (ends.get(id) ?? 0) + 1);
  }
  return {
    firings: rows.length,
    missing: countMissing(rows, window),
    unfinished: rows.filter(({ outcome }) => outcome !== 'succeeded').length,
    doubled: [...seen.values()].filter((count) => count > 1).length,
    completedTwice: rows.filter(({ id }) => (ends.get(id) ?? 0) > 1).length,
    loggedEnds: rows.reduce((sum, { id }) => sum + (ends.get(id) ?? 0), 0),
    takenOver: rows.filter(({ attempts }) => attempts > 1).length,
    longestLatenessMs: Math.round(
      Math.max(0, ...rows.filter(({ attempts }) => attempts === 1).map(({ late_ms: late }) => late)),
    ),
  };
}

function countMissing(rows: readonly RunRow[], { tasks, stepMs, from, to }: Window): number {
  let missing = 0;
  for (let n = 0; n < tasks; n++) {
    const runs = rows.filter(({ task }) => task === `firing-${n}`);
    for (let at = from; at < to; at += stepMs) if (isMissing(at, runs)) missing += 1;
  }
  return missing;
}

/** Returns whether a scheduled time has no run, and the run before it did not start after it. Runs are in order. */
function isMissing(at: number, runs: readonly RunRow[]): boolean {
  const last = runs.findLast((run) => run.at.getTime() <= at);
  return last === undefined || (last.at.getTime() < at && last.first_start.getTime() < at);
}

/** Waits until the runs that were due in this time have ended, up to a limit. */
async function waitForEndedRuns(url: string, window: Window): Promise<RunRow[]> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const rows = await withClient(url, async (client) => {
      const { rows: found } = await client.query<RunRow>(
        `SELECT id::text, task, scheduled_for AS at, outcome, attempts,
           coalesce((failed_attempts->0->>'startedAt')::timestamptz, started_at) AS first_start,
           extract(epoch FROM started_at - scheduled_for)::float8 * 1000 AS late_ms
         FROM task_runs WHERE task LIKE 'firing-%' AND scheduled_for < $1 ORDER BY scheduled_for`,
        [new Date(window.to)],
      );
      return found;
    });
    const isOver = rows.every(({ outcome }) => outcome !== 'running' && outcome !== 'retrying' && outcome !== 'queued');
    if ((isOver && countMissing(rows, window) === 0) || Date.now() > deadline) return rows;
    await pause(500, 'the workers are processes of their own');
  }
}
