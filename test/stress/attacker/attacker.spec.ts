import { assertUserUnaffected, stressAttacker, type AttackerResult } from './attacker';

describe(stressAttacker.name, () => {
  it('serves every request of a user during an attack, and keeps running', async () => {
    const { attacked, restarts, attacks } = await stressAttacker({ baselineMs: 500, attackMs: 4_000, hashCost: 4 });

    expect(Object.keys(attacked.answers).filter((status) => !status.startsWith('2'))).toEqual([]);
    expect({ served: attacked.served, restarts }).toEqual({ served: 1, restarts: 0 });
    expect(Object.keys(attacks)).toHaveLength(10);
  });
});

describe(assertUserUnaffected.name, () => {
  const service = { requests: 10, answers: { 200: 10 }, served: 1, p50Ms: 1, p99Ms: 2, slowest: '' };
  const good: AttackerResult = {
    baseline: service,
    attacked: service,
    slowdown: 1,
    peakMemory: 300,
    worstLoopDelayMs: 20,
    restarts: 0,
    attacks: {},
  };

  it.each([
    ['the API ended', { restarts: 1 }],
    ["0.9 of the user's requests", { attacked: { ...service, served: 0.9 } }],
    ['p99 is 6 times', { slowdown: 6 }],
    ['600 MiB', { peakMemory: 600 }],
  ])('refuses: %s', (message, change) => {
    expect(() => assertUserUnaffected({ ...good, ...change })).toThrow(message);
    expect(assertUserUnaffected(good)).toBe(good);
  });
});
