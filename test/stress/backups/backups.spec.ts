import { stressBackups } from './backups';

describe(stressBackups.name, () => {
  it('finds some of each kind of spoilt backup, and the sound one good', async () => {
    const { soundPasses, mutations, caught, missed, appRefused } = await stressBackups({ ofEachKind: 1 });

    expect(missed).toEqual([]);
    expect([soundPasses, caught]).toEqual([2, mutations]);
    expect(appRefused).toContain('gigvault_app is bound by row level security');
  }, 60_000);
});
