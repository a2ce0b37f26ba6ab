import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { Config } from '../config/config';

/** A command that takes longer is answered by an error: a request must not hang on Redis. */
const COMMAND_TIMEOUT_MS = 1_000;

/** Longest pause between two attempts to connect again. */
const MAX_RETRY_MS = 2_000;

/** A replica stays one until somebody acts; reads go on meanwhile, and each reconnection interrupts them. */
const READONLY_RECONNECT_MS = 5_000;

const COMMON: RedisOptions = {
  lazyConnect: true,
  connectTimeout: 2_000,
  // A lost Redis must not hold up the end of the process.
  disconnectTimeout: 100,
  retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RETRY_MS),
};

/**
 * The connections to Redis of this process: one for commands, one for subscriptions. Without Redis the process starts
 * and keeps trying; commands fail at once instead of waiting, and become 503.
 * After a failover, what the URL names may have become a read-only replica: the client then looks the name up again.
 */
@Injectable()
export class RedisClients implements OnModuleInit, OnApplicationShutdown {
  readonly commands: Redis;
  readonly subscriber: Redis;
  private readonly logger = new Logger(RedisClients.name);
  private lastError = '';

  constructor(config: Config) {
    this.commands = new Redis(config.redis.url, {
      ...COMMON,
      commandTimeout: COMMAND_TIMEOUT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectionName: 'gigvault commands',
      reconnectOnError: reconnectAfterFailover(),
    });
    // Subscriptions are asked for once and must outlive every lost connection, so these do wait.
    this.subscriber = new Redis(config.redis.url, {
      ...COMMON,
      maxRetriesPerRequest: null,
      connectionName: 'gigvault subscriber',
    });
    for (const client of [this.commands, this.subscriber]) client.on('error', (error: Error) => this.note(error));
    this.commands.on('ready', () => void this.checkEviction());
  }

  async onModuleInit(): Promise<void> {
    await Promise.allSettled([this.commands.connect(), this.subscriber.connect()]);
  }

  onApplicationShutdown(): void {
    this.commands.disconnect();
    this.subscriber.disconnect();
  }

  /** Every attempt fails alike while Redis is away; one line is enough. */
  private note({ message }: Error): void {
    if (message !== this.lastError) this.logger.warn(`Redis: ${message}`);
    this.lastError = message;
  }

  /** Sessions and queues live here: a Redis that evicts keys would sign users out and lose tasks. */
  private async checkEviction(): Promise<void> {
    this.lastError = '';
    const [, policy] = await this.commands.config('GET', 'maxmemory-policy').then(
      (answer) => answer,
      () => [],
    );
    if (policy !== undefined && policy !== 'noeviction') {
      this.logger.warn(`Redis has maxmemory-policy ${policy}; it must be noeviction`);
    }
  }
}

/** Returns a judge of errors: one of a read-only replica lets the client connect again, now and then. */
export function reconnectAfterFailover(): (error: Error) => boolean {
  let reconnectedAt = 0;
  return ({ message }) => {
    if (!message.startsWith('READONLY') || Date.now() - reconnectedAt < READONLY_RECONNECT_MS) return false;
    reconnectedAt = Date.now();
    return true;
  };
}

/**
 * Redis's own words for a state that passes: out of memory, a replica after a failover, too few replicas, loading its
 * file, a cluster or a master that is away, a snapshot that could not be written, a script that takes too long. An older
 * Redis wraps them into the error of a script.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const UNAVAILABLE_REPLY =
  /(?:^|[\s-])(?:OOM|READONLY|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|BUSY) /;

/** What ioredis says when a command was not answered, or not sent. */
const UNAVAILABLE_CONNECTION =
  /^(?:Command timed out|Connection is closed\.|Stream isn't writeable|Reached the max retries per request limit)/;

/** Names of errors by which ioredis rejects what a lost connection or transaction leaves unanswered. */
const UNAVAILABLE_NAMES = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError']);

/** Returns true for an error that says that Redis cannot serve now, though the same command may succeed soon. */
export function isRedisUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') {
    const { previousErrors = [] } = error as { previousErrors?: readonly Error[] };
    return (
      UNAVAILABLE_REPLY.test(error.message) || previousErrors.some(({ message }) => UNAVAILABLE_REPLY.test(message))
    );
  }
  return UNAVAILABLE_NAMES.has(error.name) || UNAVAILABLE_CONNECTION.test(error.message);
}

/** The number of the database a Redis URL names. Pub/sub knows none: installations in one Redis put it into their names. */
export function databaseNumberOf(url: string): string {
  const [, number = '0'] = /^\/(\d+)$/.exec(new URL(url).pathname) ?? [];
  return number;
}
