import { stressPartitions } from './partitions';

describe(stressPartitions.name, () => {
  it('loses no insert when a partition ends, without a partition, and while the default one is drained', async () => {
    const { acrossTheBound, withoutPartition, drainedUnderInserts } = await stressPartitions({
      boundMs: 1_000,
      writers: 4,
      defaultRows: 2_000,
    });

    expect(acrossTheBound).toMatchObject({ failed: 0, lost: 0 });
    expect(acrossTheBound.inDefault).toBeGreaterThan(0);
    expect(withoutPartition).toMatchObject({ serverStarts: true, health: 'warning', dashboard: 'bad', failed: 0 });
    expect(drainedUnderInserts).toMatchObject({ failed: 0, lost: 0, leftInDefault: 0, dashboard: 'good' });
    expect(drainedUnderInserts.moved).toBeGreaterThan(2_000);
  });
});
