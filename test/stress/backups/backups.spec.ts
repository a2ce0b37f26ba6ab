import { stressBackups } from './backups';

describe(stressBackups.name, () => {
  it('detects some of each kind of damaged backup, and accepts the intact one', async () => {
    const { soundPasses, mutations, caught, missed, appRefused } = await stressBackups({ ofEachKind: 1 });

    expect(missed).toEqual([]);
    expect([soundPasses, caught]).toEqual([2, mutations]);
    expect(appRefused).toContain('gigvault_app is bound by row level security');
  });
});
