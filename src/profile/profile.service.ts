import { Injectable } from '@nestjs/common';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { ProfileDto, type PutProfileDto } from './profile.dto';
import { Profile } from './profile.entity';

/** The id of the tenant's one profile. */
const PROFILE_ID = 'SELECT id FROM profiles';

/** Waits until no other request of the tenant makes the first profile; held until the end of the transaction. */
const LOCK_FIRST_PROFILE = `SELECT pg_advisory_xact_lock(hashtextextended('first profile', auth.uid()))`;

/** The signed-in user's profile. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
  ) {}

  /** Returns the profile; an empty one when the user has made none. */
  get(): Promise<ProfileDto> {
    return this.cache.read('profile', 'own', () =>
      this.database.transaction(async (unit) => {
        const [row] = await unit.query<{ id: number }>(PROFILE_ID);
        return ProfileDto.from(row ? await unit.repository(Profile).find(row.id) : null);
      }),
    );
  }

  /**
   * Makes the profile what `dto` says, and empty where it says nothing. One unit of work; one audit row when something
   * changed. First ones at once are made one after another: the later ones change what the first has made.
   * @throws AppError `precondition.failed`
   */
  async put(dto: PutProfileDto, ifMatch?: Preconditions): Promise<ProfileDto> {
    const { headline = null, overview = null, hourlyRate = null, experienceYears = null } = dto;
    const { skills = [], pastWins = [], currency = 'USD' } = dto;
    const values = { headline, overview, skills, hourlyRate, currency, experienceYears, pastWins };
    return this.database.transaction(async (unit) => {
      const profiles = unit.repository(Profile);
      const profile = await lockProfile(unit);
      assertVersion({ version: profile?.version ?? 0 }, ifMatch);
      return ProfileDto.from(profile ? await profiles.update(profile, values) : await profiles.insert(values));
    });
  }
}

/** Returns the tenant's profile, locked; null when there is none, and then no other request can make it before this one ends. */
async function lockProfile(unit: UnitOfWork): Promise<Profile | null> {
  const [row] = await unit.query<{ id: number }>(PROFILE_ID);
  if (row) return unit.repository(Profile).find(row.id, { lock: true });
  await unit.query(LOCK_FIRST_PROFILE);
  // A statement of its own: only one that begins when the lock is held sees what its holder before has committed.
  const [made] = await unit.query<{ id: number }>(PROFILE_ID);
  return made ? unit.repository(Profile).find(made.id, { lock: true }) : null;
}
