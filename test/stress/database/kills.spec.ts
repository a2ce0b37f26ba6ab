import { stressKills } from './kills';

describe(stressKills.name, () => {
  it('loses no job that was answered 2xx and no audit row when the API and PostgreSQL are killed', async () => {
    const result = await stressKills({ rounds: 2, writers: 4, jobsPerRound: 20 });

    expect(result).toMatchObject({ rounds: 2, missing: 0, withoutAudit: 0, auditWithoutRow: 0 });
    expect(result.acknowledged).toBeGreaterThanOrEqual(40);
  });
});
