import { stressAi } from './ai';

describe(stressAi.name, () => {
  it('keeps to the budget, records exact usage, survives a kill and streams without a connection', async () => {
    const result = await stressAi({
      budget: { rounds: 1, calls: 80, isHeld: true },
      ledger: { calls: 50, concurrency: 25 },
      streams: { streams: 40, samples: 5, spreadMs: 200, pauseMs: 20 },
      kills: { models: ['gpt-4'], isAged: true },
    });

    expect(result.budget).toEqual([expect.objectContaining({ other: 0, overspent: 0, reserved: 0, unaccounted: 0 })]);
    expect(result.budget[0]!.refused).toBeGreaterThan(0);
    expect(result.ledger).toMatchObject({
      wrongText: 0,
      wrongUsage: 0,
      wrongCost: 0,
      missing: 0,
      running: 0,
      recordedUsd: result.ledger.billedUsd,
    });
    expect(result.kills).toEqual([
      expect.objectContaining({ isWhole: true, finalStatus: 'failed', reservedUsd: '0.000000000000', vendorCalls: 1 }),
    ]);
    expect(Number(result.kills[0]!.costUsd)).toBeGreaterThan(0);
    expect(result.ledger.faults).toBeGreaterThan(0);
    expect(result.streams).toMatchObject({ complete: 40, connectionsWhileWaiting: { inTransaction: 0, busy: 0 } });
  });
});
