import { stressScheduledRuns } from './scheduled-runs';

describe(stressScheduledRuns.name, () => {
  it('completes each scheduled run once although a worker is killed', async () => {
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
    expect(result.kills).toBeGreaterThanOrEqual(1);
    // The killed worker held this number of runs.
    expect(result.takenOver).toBeGreaterThanOrEqual(4);
  });
});
