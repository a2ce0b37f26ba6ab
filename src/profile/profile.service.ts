import { Injectable } from '@nestjs/common';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { listFields } from '../platform/http/openapi/dto-fields';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { EMPTY_PROFILE, ProfileDto, PutProfileDto } from './profile.dto';
import { Profile } from './profile.entity';

/** Selects the id of the tenant's only profile. */
const PROFILE_ID = 'SELECT id FROM profiles';

/** Locks the creation of the tenant's first profile until the end of the transaction. */
const LOCK_FIRST_PROFILE = `SELECT pg_advisory_xact_lock(hashtextextended('first profile', auth.uid()))`;

/** The signed-in user's profile. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
  ) {}

  /** Returns the profile, or an empty one. */
  get(): Promise<ProfileDto> {
    return this.cache.read('profile', 'own', () =>
      this.database.transaction(async (unit) => {
        const [row] = await unit.query<{ id: number }>(PROFILE_ID);
        return ProfileDto.from(row ? await unit.repository(Profile).find(row.id) : null);
      }),
    );
  }

  /**
   * Replaces the profile; absent fields become empty. One transaction; at most one audit row. Concurrent first requests
   * run one after the other: the first creates the profile, the others update it.
   * @throws AppError `precondition.failed`
   */
  async put(dto: PutProfileDto, ifMatch?: Preconditions): Promise<ProfileDto> {
    const values = Object.fromEntries(
      listFields(PutProfileDto).map((field) => [field, dto[field] ?? EMPTY_PROFILE[field]]),
    );
    return this.database.transaction(async (unit) => {
      const profiles = unit.repository(Profile);
      const profile = await lockProfile(unit);
      assertVersion({ version: profile?.version ?? 0 }, ifMatch);
      return ProfileDto.from(profile ? await profiles.update(profile, values) : await profiles.insert(values));
    });
  }
}

/** Locks and returns the tenant's profile. After null, no other request can create it before this transaction ends. */
async function lockProfile(unit: UnitOfWork): Promise<Profile | null> {
  const [row] = await unit.query<{ id: number }>(PROFILE_ID);
  if (row) return unit.repository(Profile).find(row.id, { lock: true });
  await unit.query(LOCK_FIRST_PROFILE);
  // A separate statement: only one that starts under the lock sees what the previous holder committed.
  const [made] = await unit.query<{ id: number }>(PROFILE_ID);
  return made ? unit.repository(Profile).find(made.id, { lock: true }) : null;
}
