import { TENANT_JOB_STATS } from '../../../src/analytics/analytics.queries';
import { RECORD_DAILY_METRICS } from '../../../src/analytics/record-daily-metrics.task';
import { REFRESH_JOB_STATS } from '../../../src/analytics/refresh-job-stats.task';
import { Database } from '../../../src/platform/database/database';
import { isSkipped, type TaskResult, type ScheduledTask } from '../../../src/platform/scheduler/scheduled-task';
import { runAsUser } from '../../support/run-as-user';
import { stressRefreshes, type RefreshesOptions, type RefreshesResult } from './refreshes';
import { InProcessApi } from '../in-process-api';
import { createStatisticsData } from './statistics-data';
import { METRICS_MISCOUNTED, STATS_MISCOUNTED, STATS_OF_ALL } from './statistics.queries';
import { Latencies } from '../latencies';

/** Sizes of the scenario. */
export interface StatsOptions {
  readonly users: number;
  /** Jobs within the last 365 days, skewed: the first users have most. */
  readonly jobs: number;
  readonly readers: number;
  /** How long readers run alone, and how long during continuous refreshes. */
  readonly readMs: number;
  readonly refreshes: RefreshesOptions;
}

/** Waits of readers, in milliseconds. */
interface Reads {
  readonly reads: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/** The result; everything miscounted must be 0. */
export interface StatsResult {
  readonly loadSeconds: number;
  readonly refresh: {
    readonly ms: number;
    readonly users: number;
    readonly withoutJobs: number;
    readonly miscounted: number;
  };
  readonly metrics: {
    /** The first run of the task, which counts the first part of the past, and the longest of the runs for the rest. */
    readonly firstMs: number;
    readonly longestMs: number;
    readonly runsToCountAll: number;
    /** A run of an ordinary day, after everything is counted. */
    readonly dayMs: number;
    readonly figures: number;
    readonly miscounted: number;
  };
  readonly readers: { readonly alone: Reads; readonly duringRefreshes: Reads & { readonly refreshes: number } };
  readonly workers: RefreshesResult;
}

/**
 * Refreshes the statistics and counts the daily metrics of a whole year of many users, and compares both with queries
 * of the tables. Tenants read theirs meanwhile through Database. Then two worker processes refresh at once.
 */
export async function stressStatistics(options: StatsOptions): Promise<StatsResult> {
  // The API's missed-run monitor would report every task that no worker runs here.
  const served = new InProcessApi({ LOG_LEVEL: 'fatal' });
  return served.run(async () => {
    const began = performance.now();
    await createStatisticsData(served.services, options);
    const loadSeconds = Math.round((performance.now() - began) / 1_000);
    const refresh = await stressRefresh(served);
    const metrics = await stressMetrics(served);
    const readers = await stressReaders(served, options);
    return { loadSeconds, refresh, metrics, readers, workers: await stressRefreshes(served, options.refreshes) };
  });
}

async function stressRefresh(served: InProcessApi): Promise<StatsResult['refresh']> {
  await served.query('UPDATE jobs SET is_favorite = NOT is_favorite WHERE id % 100 = 0');
  const { ms } = await runTimed(served, REFRESH_JOB_STATS);
  const [all] = await served.query<{ users: number; withoutJobs: number }>(STATS_OF_ALL);
  const [miscounted] = await served.query<{ count: number }>(STATS_MISCOUNTED);
  return { ms, ...all!, miscounted: miscounted!.count };
}

async function stressMetrics(served: InProcessApi): Promise<StatsResult['metrics']> {
  const first = await runTimed(served, RECORD_DAILY_METRICS);
  const runs = [first];
  for (let last = first; last.figures.countedFrom !== last.figures.historyFrom; runs.push(last)) {
    last = await runTimed(served, RECORD_DAILY_METRICS, last.figures);
  }
  const day = await runTimed(served, RECORD_DAILY_METRICS, runs.at(-1)!.figures);
  const [{ figures, miscounted } = { figures: 0, miscounted: 0 }] = await served.query<{
    figures: number;
    miscounted: number;
  }>(METRICS_MISCOUNTED);
  return {
    firstMs: first.ms,
    longestMs: Math.max(...runs.map(({ ms }) => ms)),
    runsToCountAll: runs.length,
    dayMs: day.ms,
    figures,
    miscounted,
  };
}

async function stressReaders(served: InProcessApi, { readers, readMs }: StatsOptions): Promise<StatsResult['readers']> {
  const ids = (await served.query<{ id: string }>('SELECT id FROM users')).map(({ id }) => Number(id));
  const alone = await readFor(served, ids, readers, readMs);
  let refreshes = 0;
  let isOver = false;
  const refreshing = (async () => {
    while (!isOver) {
      await runTimed(served, REFRESH_JOB_STATS);
      refreshes += 1;
    }
  })();
  const duringRefreshes = await readFor(served, ids, readers, readMs);
  isOver = true;
  await refreshing;
  return { alone, duringRefreshes: { ...duringRefreshes, refreshes } };
}

/** Runs concurrent readers, each time of another user. */
async function readFor(served: InProcessApi, ids: readonly number[], readers: number, forMs: number): Promise<Reads> {
  const waits = new Latencies();
  const database = served.get(Database);
  const end = performance.now() + forMs;
  let next = 0;
  const reader = async (): Promise<void> => {
    while (performance.now() < end) {
      const id = ids[(next = (next + 7_919) % ids.length)]!;
      await waits.measure(() => runAsUser(id, () => database.query(TENANT_JOB_STATS)));
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return { reads: waits.count, p99Ms: waits.p99Ms, longestMs: waits.longestMs };
}

async function runTimed(
  served: InProcessApi,
  task: ScheduledTask,
  lastFigures: TaskResult | null = null,
): Promise<{ ms: number; figures: TaskResult }> {
  const began = performance.now();
  const figures = await served.runTask(task, lastFigures);
  if (isSkipped(figures)) throw new Error(`${task.id} had nothing to do: ${figures.skipped}`);
  return { ms: Math.round(performance.now() - began), figures };
}
