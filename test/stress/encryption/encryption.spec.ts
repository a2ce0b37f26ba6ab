import { stressEncryption } from './encryption';

describe(stressEncryption.name, () => {
  it('opens only unchanged values in their own place', async () => {
    const result = await stressEncryption({ cases: 2_000 });

    expect(result).toMatchObject({ cases: 2_000, wronglyOpened: 0 });
    expect(result.opened).toBeGreaterThan(100);
    expect(result.refused).toBeGreaterThan(1_000);
  });
});
