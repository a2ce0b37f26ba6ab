import { stressScheduledRuns } from './scheduled-runs';

describe(stressScheduledRuns.name, () => {
  it('finds each firing completed once after a worker was killed at work', async () => {
    const result = await stressScheduledRuns({
      apis: 0,
      workers: 2,
      tasks: 6,
      everySeconds: 1,
      firings: 30,
      killEveryMs: 500,
      leaseSeconds: 2,
    });

    expect(result).toMatchObject({ missing: 0, unfinished: 0, doubled: 0, completedTwice: 0 });
    expect(result.firings).toBeGreaterThanOrEqual(30);
    expect(result.kills).toBeGreaterThanOrEqual(1);
    expect(result.takenOver).toBeGreaterThanOrEqual(1);
  }, 120_000);
});
