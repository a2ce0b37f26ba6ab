import { SEAL_ATTACKS } from './tamperings';
import { stressSeals } from './seals';

describe(stressSeals.name, () => {
  it('finds each change of the logs and of their seals, and nothing without one', async () => {
    const result = await stressSeals({
      rows: 3_000,
      rowTamperings: 200,
      sealTamperings: SEAL_ATTACKS.length,
      cleanRuns: 1,
    });

    expect(result.missed).toEqual([]);
    expect(result.falseAlarms).toBe(0);
    expect(Object.keys(result.tamperings).length).toBeGreaterThan(20);
  });
});
