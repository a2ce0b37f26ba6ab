import { Redis, type RedisOptions } from 'ioredis';
import type { Config } from '../config/config';

/** Shortest interval of reconnections to a read-only replica: each interrupts the reads that still work. */
const READONLY_RECONNECT_MS = 5_000;

/** Longest wait for a Sentinel before the next one is asked. */
const SENTINEL_TIMEOUT_MS = 1_000;

/** Pause before another connection to a lost Sentinel, which announces failovers. */
const SENTINEL_RETRY_MS = 2_000;

/** Time in which a connection to a lost server closes by itself; a frozen one never does. */
const DISCONNECT_MS = 100;

/**
 * Opens a connection as the settings of Redis say: by TLS, and with Sentinel to the primary. When Sentinel announces a
 * failover, the connection is closed and opened to the new primary, also while the old one is frozen. After an error of
 * a read-only replica it is opened again. All clients of the product are created here.
 * @param options of this client. Without `sentinelRetryStrategy` it asks the Sentinels until one answers.
 */
export function createRedis(connection: Config['redis'], options: RedisOptions): Redis {
  return new Redis(connection.url, {
    disconnectTimeout: DISCONNECT_MS,
    reconnectOnError: reconnectAfterFailover(),
    ...buildTls(connection),
    ...buildSentinel(connection),
    ...options,
  });
}

function buildTls({ url, ca }: Config['redis']): RedisOptions {
  return url.startsWith('rediss://') ? { tls: { ca }, sentinelTLS: { ca }, enableTLSForSentinelMode: true } : {};
}

function buildSentinel({ sentinel }: Config['redis']): RedisOptions {
  if (!sentinel) return {};
  return {
    sentinels: [...sentinel.hosts],
    name: sentinel.name,
    sentinelUsername: sentinel.username,
    sentinelPassword: sentinel.password,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelReconnectStrategy: () => SENTINEL_RETRY_MS,
    failoverDetector: true,
  };
}

/** Returns ioredis' reconnectOnError: reconnects after an error of a read-only replica, at most every 5 s. */
function reconnectAfterFailover(): (error: Error) => boolean {
  let reconnectedAt = 0;
  return ({ message }) => {
    if (!message.startsWith('READONLY') || Date.now() - reconnectedAt < READONLY_RECONNECT_MS) return false;
    reconnectedAt = Date.now();
    return true;
  };
}
