import { stressLateWriters } from './late-writers';
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

describe(stressLateWriters.name, () => {
  it('seals each row once while transactions stay open and the sealing processes are killed', async () => {
    const result = await stressLateWriters({ writers: 16, transactions: 12, holdMs: 400, kills: 4 });

    expect(result).toMatchObject({ skipped: 0, sealedTwice: 0, tampering: 0 });
    expect(result.rows).toBeGreaterThan(300);
  });
});
