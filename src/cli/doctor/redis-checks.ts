import type { Redis } from 'ioredis';
import type { Config } from '../../platform/config/config';
import { shortReason } from '../../platform/health/health.service';
import { findEvictionWarning } from '../../platform/redis/redis-clients';
import { createRedis } from '../../platform/redis/redis-options';
import {
  NO_SENTINEL,
  NO_SUCH_HOST,
  PASSWORD_REFUSED,
  TLS_MISMATCH,
  UNTRUSTED_CERTIFICATE,
} from '../launcher/external-services';
import { type Finding, ok, problem, warning } from './finding';

/** Returns what to do about a Redis that refuses the connection. */
export function findRedisCure(reason: string): string {
  if (reason === PASSWORD_REFUSED)
    return 'correct REDIS_URL: redis://:PASSWORD@HOST:6379/0; the password is requirepass of redis.conf';
  return REDIS_CURES[reason] ?? 'systemctl start redis-server, or correct REDIS_URL';
}

const REDIS_CURES: Readonly<Record<string, string>> = {
  [NO_SUCH_HOST]: 'correct the host in REDIS_URL',
  [TLS_MISMATCH]: 'begin REDIS_URL with rediss:// for TLS, and with redis:// without TLS',
  [UNTRUSTED_CERTIFICATE]: 'set REDIS_CA_FILE to the certificate of its authority, and REDIS_URL to a name in it',
  [NO_SENTINEL]: 'correct REDIS_SENTINELS, REDIS_SENTINEL_NAME and the password of Sentinel',
};

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
export async function checkRedis(connection: Config['redis']): Promise<Finding[]> {
  const client = createRedis(connection, {
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
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
