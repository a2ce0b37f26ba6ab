import { HaInstallation } from './ha-installation';
import { assertFailedOver, type FailoverResult, stressFailover } from './failover';

describe(stressFailover.name, () => {
  const missing = HaInstallation.listMissing();
  if (missing.length > 0) {
    // Programs of the operating system, which npm does not install.
    it.skip(`needs ${missing.join(' and ')}: apt install ${missing.join(' ')}`, () => undefined);
    return;
  }

  it('hides a killed API, and loses nothing when Redis and the primary of PostgreSQL are killed', async () => {
    const { reports, comparison, acknowledged } = await stressFailover({
      clients: 3,
      faults: ['api killed', 'redis killed', 'postgres killed'],
      waitsForTask: false,
    });

    console.table(reports);
    expect(reports).toHaveLength(3);
    expect(reports[0]).toMatchObject({ part: 'one API of three', failed: 0 });
    expect(acknowledged).toBeGreaterThan(0);
    expect(comparison).toEqual({ missing: 0, outdated: 0, wronglyAudited: 0, auditWithoutRow: 0 });
  });
});

describe(assertFailedOver.name, () => {
  const report = {
    part: 'each API',
    fault: 'restarted',
    requests: 9,
    failed: 0,
    repeated: 0,
    recoverySeconds: 0,
    slowestSeconds: 1,
    isHidden: true,
  };
  const good: FailoverResult = {
    reports: [report],
    acknowledged: 1,
    comparison: { missing: 0, outdated: 0, wronglyAudited: 0, auditWithoutRow: 0 },
    hasRunTask: true,
  };

  beforeEach(() => void jest.spyOn(console, 'table').mockReturnValue(undefined));
  afterEach(() => void jest.restoreAllMocks());

  it.each([
    ['each API restarted: 2 requests failed', { reports: [{ ...report, failed: 2 }] }],
    ['recovered after 11 s', { reports: [{ ...report, recoverySeconds: 11 }] }],
    ['1 missing', { comparison: { ...good.comparison, missing: 1 } }],
    ['no scheduled task', { hasRunTask: false }],
  ])('refuses: %s', (message, change) => {
    expect(() => assertFailedOver([{ ...good, ...change }])).toThrow(message);
    expect(assertFailedOver([good])).toEqual([good]);
  });
});
