import { stressStatistics } from './statistics';

describe(stressStatistics.name, () => {
  it('counts the same as direct queries while others read, and refreshes once for concurrent workers', async () => {
    const result = await stressStatistics({
      users: 40,
      jobs: 2_000,
      readers: 4,
      readMs: 150,
      refreshes: { rounds: 2, requestsPerRound: 6, seconds: 2 },
    });

    expect(result.refresh).toMatchObject({ users: 41, withoutJobs: 1, miscounted: 0 });
    expect(result.metrics).toMatchObject({ miscounted: 0 });
    expect(result.metrics.figures).toBeGreaterThan(1_000);
    expect(result.readers.alone.reads).toBeGreaterThan(0);
    expect(result.readers.duringRefreshes.reads).toBeGreaterThan(0);
    expect(result.readers.duringRefreshes.refreshes).toBeGreaterThan(0);
    expect(result.workers).toMatchObject({
      workersAtWork: 2,
      requested: { runs: 12, refreshes: 2, leftToTheOther: 10 },
      scheduled: { doubled: 0, unaccounted: 0 },
    });
    expect(result.workers.scheduled.refreshes).toBeGreaterThan(0);
  });
});
