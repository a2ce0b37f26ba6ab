import { stressKeyRotation } from './key-rotation';

describe(stressKeyRotation.name, () => {
  it('fails no read and no write, continues after each kill, and leaves nothing under the old key', async () => {
    const result = await stressKeyRotation({ secrets: 3_000, newcomers: 40, kills: 2, loads: 1, batchPauseMs: 250 });

    expect(result).toMatchObject({
      kills: 2,
      finished: true,
      failed: 0,
      onTheOldKey: 0,
      unopened: 0,
      failedRequests: 0,
    });
    expect(result.reads).toBeGreaterThan(0);
    expect(result.firstSecrets).toBeGreaterThan(0);
  });
});
