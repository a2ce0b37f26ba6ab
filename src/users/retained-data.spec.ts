import { computeBackupExpiry, listRetainedData } from './retained-data';

const ERASED_AT = new Date('2026-01-31T09:30:00Z');
const RETENTION = { securityLogDays: 400, partitionYears: 0, backupDays: 35, walHours: 48 };

/** Returns the time until which a place keeps data. */
function findUntil(place: string, retention = RETENTION): string | null | undefined {
  const found = listRetainedData(ERASED_AT, retention).find((data) => data.place === place);
  return found && (found.until?.toISOString() ?? null);
}

describe(listRetainedData.name, () => {
  it.each([
    ['backups', '2026-03-07T09:30:00.000Z'],
    ['security log', '2027-03-07T09:30:00.000Z'],
    ['write-ahead log of PostgreSQL', '2026-02-02T09:30:00.000Z'],
    ['files of Redis', '2026-01-31T11:30:00.000Z'],
    ['audit log', null],
  ])('states by the settings until when the %s contain data', (place, until) => {
    expect(findUntil(place)).toBe(until);
  });

  it('names archived partitions only where partitions are archived', () => {
    expect(findUntil('archived partitions')).toBeUndefined();
    expect(findUntil('archived partitions', { ...RETENTION, partitionYears: 3 })).toBeNull();
  });

  it('names each place once', () => {
    const places = listRetainedData(ERASED_AT, RETENTION).map(({ place }) => place);
    expect(new Set(places).size).toBe(places.length);
  });
});

describe(computeBackupExpiry.name, () => {
  it('returns the end of the retention', () => {
    expect(computeBackupExpiry(ERASED_AT, { ...RETENTION, backupDays: 1 })).toEqual(new Date('2026-02-01T09:30:00Z'));
  });
});
