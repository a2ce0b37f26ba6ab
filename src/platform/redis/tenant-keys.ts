import type { Redis } from 'ioredis';

/** Lifetime of the mark of an erased user; longer than any request or AI call that began before the erasure. */
const MARK_SECONDS = 24 * 3_600;

/** Keys that Redis visits per call of SCAN, which takes about a millisecond. */
const SCAN_COUNT = 1_000;

/**
 * Returns a key for texts of a tenant. All values with such texts have keys of this form, because an erasure finds them
 * by the prefix. A script that writes one must check the mark of `buildErasureMark`.
 */
export function buildTenantKey(userId: number, name: string): string {
  return `tenant:${userId}:${name}`;
}

/** Returns the key that marks a user as erased. Ids of users are never used again. */
export function buildErasureMark(userId: number): string {
  return `erased:${userId}`;
}

/**
 * Deletes the texts of an erased user and returns the number of deleted keys. A request that began before the erasure
 * may still write a text, so the user is marked first.
 */
export async function eraseTenantKeys(redis: Redis, userId: number): Promise<number> {
  await redis.set(buildErasureMark(userId), '1', 'EX', MARK_SECONDS);
  let deleted = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', buildTenantKey(userId, '*'), 'COUNT', SCAN_COUNT);
    if (keys.length > 0) deleted += await redis.del(...keys);
    cursor = next;
  } while (cursor !== '0');
  return deleted;
}
