import { assertRotated, stressContextKeyRotation } from './context-key-rotation';

describe(stressContextKeyRotation.name, () => {
  it('fails no request while the key changes twice, and ends the first key', async () => {
    const result = assertRotated(await stressContextKeyRotation({ clients: 4, requestsPerStep: 10 }));

    expect(result).toMatchObject({ failed: 0, accepted: [false, false, true], doesFormerKeyStart: false });
    expect(result.requests).toBeGreaterThanOrEqual(4 * 10 * 10);
    expect(result.audited).toBe(result.changes);
  });
});
