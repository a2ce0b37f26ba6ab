import { selectExpiredIds, type RetentionCandidate, type RetentionPolicy } from './backup-retention.service';

const NOW = new Date('2026-03-18T03:00:00Z');
const POLICY: RetentionPolicy = { daily: 7, weekly: 4, monthly: 3, maxDays: 90 };

/** Builds one backup a day at 02:12, newest first; the id is its age in days. */
function daily(days: number): RetentionCandidate[] {
  return Array.from({ length: days }, (_, age) => ({
    id: age,
    status: 'verified',
    createdAt: new Date(Date.parse('2026-03-18T02:12:00Z') - age * 86_400_000),
  }));
}

function listKeptIds(backups: readonly RetentionCandidate[], policy: RetentionPolicy = POLICY): number[] {
  const removed = selectExpiredIds(backups, policy, NOW);
  return backups.map(({ id }) => id).filter((id) => !removed.includes(id));
}

describe(selectExpiredIds.name, () => {
  it('keeps the newest of each of the last days, weeks from Monday, and months', () => {
    // 18 March is a Wednesday; 15, 8 and 1 March were Sundays, 28 February and 31 January the last of their months.
    expect(listKeptIds(daily(80))).toEqual([0, 1, 2, 3, 4, 5, 6, 10, 17, 18, 46]);
  });

  it('keeps no backup beyond the maximum age, except the newest verified one', () => {
    expect(listKeptIds(daily(80), { ...POLICY, maxDays: 5 })).toEqual([0, 1, 2, 3, 4]);
    expect(listKeptIds(daily(80).slice(60), { ...POLICY, maxDays: 5 })).toEqual([60]);
  });

  it('counts days that have a backup, so a paused schedule loses none', () => {
    expect(
      listKeptIds(
        daily(80).filter(({ id }) => id % 2 === 0),
        { ...POLICY, weekly: 0, monthly: 0 },
      ),
    ).toEqual([0, 2, 4, 6, 8, 10, 12]);
  });

  it('keeps the newest of a day, a backup being checked, and a failed one for a week', () => {
    const at = (text: string) => new Date(`${text}:00Z`);
    const backups: RetentionCandidate[] = [
      { id: 6, status: 'running', createdAt: at('2026-03-18T02:50') },
      { id: 5, status: 'verified', createdAt: at('2026-03-18T02:12') },
      { id: 4, status: 'verified', createdAt: at('2026-03-18T01:00') },
      { id: 3, status: 'failed', createdAt: at('2026-03-17T02:12') },
      { id: 2, status: 'failed', createdAt: at('2026-03-01T02:12') },
      { id: 1, status: 'pending', createdAt: at('2025-03-01T02:12') },
    ];

    expect(listKeptIds(backups)).toEqual([6, 5, 3, 1]);
  });
});
