import { Redis } from 'ioredis';
import { shortReason } from '../../platform/health/health.service';
import { findEvictionWarning } from '../../platform/redis/redis-clients';
import { type Finding, ok, problem, warning } from './finding';

const TIMEOUT_MS = 5_000;

/** A key that expires; the check needs to write. */
const PROBE_KEY = 'doctor';
const PROBE_SECONDS = 10;

/** What to do about a Redis that answers but refuses writes, by the reason that readiness shows. */
const CURES: Readonly<Record<string, string>> = {
  'read-only': 'point REDIS_URL at the primary, or make this one it: redis-cli REPLICAOF NO ONE',
  'out of memory': 'redis-cli CONFIG SET maxmemory 0, or a larger limit',
  'cannot write to disk': 'free space on the disk of Redis; redis-cli LASTSAVE shows the last success',
};

/** Checks that a reachable Redis accepts writes and never evicts keys. */
export async function checkRedis(url: string): Promise<Finding[]> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return [await checkWrite(client), await checkEviction(client)];
  } finally {
    client.disconnect();
  }
}

async function checkWrite(client: Redis): Promise<Finding> {
  try {
    await client.set(PROBE_KEY, '', 'EX', PROBE_SECONDS);
    return ok('Redis', 'accepts writes');
  } catch (error) {
    const reason = shortReason(error);
    return problem('Redis', `refuses writes: ${reason}`, CURES[reason] ?? 'redis-cli INFO persistence');
  }
}

async function checkEviction(client: Redis): Promise<Finding> {
  const sentence = await findEvictionWarning(client);
  if (sentence === undefined) return ok('Redis', 'keeps all keys');
  const consequence = 'users would be signed out and tasks lost';
  return warning('Redis', `${sentence}: ${consequence}`, 'redis-cli CONFIG SET maxmemory-policy noeviction');
}
