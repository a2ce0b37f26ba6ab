import { OWN_JOB_STATS } from '../../src/analytics/analytics.queries';
import { RECORD_DAILY_METRICS } from '../../src/analytics/record-daily-metrics.task';
import { REFRESH_JOB_STATS } from '../../src/analytics/refresh-job-stats.task';
import { Database } from '../../src/platform/database/database';
import { isSkipped, type Figures, type ScheduledTask } from '../../src/platform/scheduler/scheduled-task';
import { within } from '../support/within';
import { proveRefreshes, type RefreshesOptions, type RefreshesResult } from './refreshes';
import { Served } from './served';
import { makeStatsData } from './stats-data';
import { METRICS_MISCOUNTED, STATS_MISCOUNTED, STATS_OF_ALL } from './stats-checks';
import { Waits } from './waits';

/** Sizes of the proof. */
export interface StatsOptions {
  readonly users: number;
  /** Of the last 365 days, skewed: the first users have most. */
  readonly jobs: number;
  readonly readers: number;
  /** How long they read alone, and how long while the view is refreshed again and again. */
  readonly readMs: number;
  readonly refreshes: RefreshesOptions;
}

/** Waits of readers, in milliseconds. */
interface Reads {
  readonly reads: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/** What was found; everything miscounted must be 0. */
export interface StatsResult {
  readonly loadSeconds: number;
  readonly refresh: {
    readonly ms: number;
    readonly users: number;
    readonly withoutJobs: number;
    readonly miscounted: number;
  };
  readonly metrics: {
    /** The first run of the task, which gives the past its first share, and the longest of those that brought the rest. */
    readonly firstMs: number;
    readonly longestMs: number;
    readonly runsToCountAll: number;
    /** A run of an ordinary day, after all is counted. */
    readonly dayMs: number;
    readonly figures: number;
    readonly miscounted: number;
  };
  readonly readers: { readonly alone: Reads; readonly duringRefreshes: Reads & { readonly refreshes: number } };
  readonly workers: RefreshesResult;
}

/**
 * Refreshes the statistics and counts the daily metrics of a whole year of many users, compares both with queries of the
 * tables themselves, and lets tenants read theirs meanwhile through the gate. Then two worker processes refresh at once.
 */
export async function proveStats(options: StatsOptions): Promise<StatsResult> {
  // The watch of the API would tell of every task that no worker takes here.
  const served = new Served({ LOG_LEVEL: 'fatal' });
  return served.during(async () => {
    const began = performance.now();
    await makeStatsData(served.services, options);
    const loadSeconds = Math.round((performance.now() - began) / 1_000);
    const refresh = await proveRefresh(served);
    const metrics = await proveMetrics(served);
    const readers = await proveReaders(served, options);
    return { loadSeconds, refresh, metrics, readers, workers: await proveRefreshes(served, options.refreshes) };
  });
}

async function proveRefresh(served: Served): Promise<StatsResult['refresh']> {
  await served.sql('UPDATE jobs SET is_favorite = NOT is_favorite WHERE id % 100 = 0');
  const { ms } = await timed(served, REFRESH_JOB_STATS);
  const [all] = await served.sql<{ users: number; withoutJobs: number }>(STATS_OF_ALL);
  const [miscounted] = await served.sql<{ count: number }>(STATS_MISCOUNTED);
  return { ms, ...all!, miscounted: miscounted!.count };
}

async function proveMetrics(served: Served): Promise<StatsResult['metrics']> {
  const first = await timed(served, RECORD_DAILY_METRICS);
  const runs = [first];
  for (let last = first; last.figures.countedFrom !== last.figures.historyFrom; runs.push(last)) {
    last = await timed(served, RECORD_DAILY_METRICS, last.figures);
  }
  const day = await timed(served, RECORD_DAILY_METRICS, runs.at(-1)!.figures);
  const [{ figures, miscounted } = { figures: 0, miscounted: 0 }] = await served.sql<{
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

async function proveReaders(served: Served, { readers, readMs }: StatsOptions): Promise<StatsResult['readers']> {
  const ids = (await served.sql<{ id: string }>('SELECT id FROM users')).map(({ id }) => Number(id));
  const alone = await reading(served, ids, readers, readMs);
  let refreshes = 0;
  let isOver = false;
  const refreshing = (async () => {
    while (!isOver) {
      await timed(served, REFRESH_JOB_STATS);
      refreshes += 1;
    }
  })();
  const duringRefreshes = await reading(served, ids, readers, readMs);
  isOver = true;
  await refreshing;
  return { alone, duringRefreshes: { ...duringRefreshes, refreshes } };
}

/** So many readers at once, each time of another user. */
async function reading(served: Served, ids: readonly number[], readers: number, forMs: number): Promise<Reads> {
  const waits = new Waits();
  const database = served.get(Database);
  const end = performance.now() + forMs;
  let next = 0;
  const reader = async (): Promise<void> => {
    while (performance.now() < end) {
      const id = ids[(next = (next + 7_919) % ids.length)]!;
      await waits.of(() => within(id, () => database.query(OWN_JOB_STATS)));
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return { reads: waits.count, p99Ms: waits.p99Ms, longestMs: waits.longestMs };
}

async function timed(
  served: Served,
  task: ScheduledTask,
  lastFigures: Figures | null = null,
): Promise<{ ms: number; figures: Figures }> {
  const began = performance.now();
  const figures = await served.run(task, lastFigures);
  if (isSkipped(figures)) throw new Error(`${task.id} had nothing to do: ${figures.skipped}`);
  return { ms: Math.round(performance.now() - began), figures };
}
