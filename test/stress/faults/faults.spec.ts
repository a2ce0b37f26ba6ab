import { assertRecovered, stressFaults, type FaultsResult } from './faults';

describe(stressFaults.name, () => {
  it('answers 503 while PostgreSQL or Redis is frozen, is not ready, and loses no acknowledged write', async () => {
    const { faults, comparison, acknowledged } = await stressFaults({
      writers: 4,
      holdMs: { 'PostgreSQL frozen': undefined, 'Redis frozen': undefined },
    });

    for (const fault of faults) {
      expect(fault).toMatchObject({ wrong: 0, unanswered: 0, recoveryMs: expect.any(Number) });
      expect(fault.answers['503']).toBeGreaterThan(0);
      expect(fault.notReady).toBeGreaterThan(0);
      expect(fault.recoveryMs).not.toBe(Infinity);
    }
    expect(faults).toHaveLength(2);
    expect(acknowledged).toBeGreaterThan(0);
    expect(comparison).toEqual({ missing: 0, outdated: 0, wronglyAudited: 0, auditWithoutRow: 0 });
  });
});

describe(assertRecovered.name, () => {
  const fault = {
    fault: 'Redis frozen',
    answers: {},
    wrong: 0,
    slowestMs: 10,
    unanswered: 0,
    notReady: 1,
    stillReady: 0,
    recoveryMs: 10,
  };
  const good: FaultsResult = {
    faults: [fault],
    skipped: [],
    acknowledged: 1,
    comparison: { missing: 0, outdated: 0, wronglyAudited: 0, auditWithoutRow: 0 },
  };

  beforeEach(() => void jest.spyOn(console, 'table').mockReturnValue(undefined));
  afterEach(() => void jest.restoreAllMocks());

  it.each([
    ['1 requests were answered neither', { faults: [{ ...fault, wrong: 1 }] }],
    ['an answer took', { faults: [{ ...fault, slowestMs: 20_000 }] }],
    ['3 clients were answered only after it', { faults: [{ ...fault, unanswered: 3 }] }],
    ['0 probes said not ready', { faults: [{ ...fault, notReady: 0 }] }],
    ['2 ready', { faults: [{ ...fault, stillReady: 2 }] }],
    ['works again after Infinity', { faults: [{ ...fault, recoveryMs: Infinity }] }],
    ['1 missing', { comparison: { ...good.comparison, missing: 1 } }],
  ])('refuses: %s', (message, change) => {
    expect(() => assertRecovered({ ...good, ...change })).toThrow(message);
    expect(assertRecovered(good)).toBe(good);
  });
});
