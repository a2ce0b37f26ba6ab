import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Redis, RedisOptions } from 'ioredis';
import { Config } from '../config/config';
import { createRedis } from './redis-options';

/** Longest run of a command; then it fails, so that requests never hang on Redis. */
const COMMAND_TIMEOUT_MS = 1_000;

/** Longest pause between two attempts to reconnect. */
const MAX_RETRY_MS = 2_000;

const COMMON: RedisOptions = {
  lazyConnect: true,
  connectTimeout: 2_000,
  retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RETRY_MS),
};

/**
 * The Redis connections of this process: one for commands, one for subscriptions. Without Redis the process starts and
 * keeps reconnecting; commands fail at once and become 503. After a failover the server of the URL may be a read-only
 * replica: the client then resolves the name again, or asks Sentinel.
 */
@Injectable()
export class RedisClients implements OnModuleInit, OnApplicationShutdown {
  readonly commands: Redis;
  readonly subscriber: Redis;
  private readonly logger = new Logger(RedisClients.name);
  private lastError = '';

  constructor(config: Config) {
    this.commands = createRedis(config.redis, {
      ...COMMON,
      commandTimeout: COMMAND_TIMEOUT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectionName: 'gigvault commands',
    });
    // Subscriptions wait for a connection; RedisSubscription repeats them after a reconnection.
    this.subscriber = createRedis(config.redis, {
      ...COMMON,
      maxRetriesPerRequest: null,
      autoResubscribe: false,
      connectionName: 'gigvault subscriber',
    });
    for (const client of [this.commands, this.subscriber]) client.on('error', (error: Error) => this.warn(error));
    this.commands.on('ready', () => void this.checkEviction());
  }

  async onModuleInit(): Promise<void> {
    await Promise.allSettled([this.commands.connect(), this.subscriber.connect()]);
  }

  onApplicationShutdown(): void {
    this.commands.disconnect();
    this.subscriber.disconnect();
  }

  /** Logs an error unless it repeats the last one. */
  private warn({ message }: Error): void {
    if (message !== this.lastError) this.logger.warn(`Redis: ${message}`);
    this.lastError = message;
  }

  /** Warns about eviction: a Redis that evicts keys would sign users out and lose tasks. */
  private async checkEviction(): Promise<void> {
    this.lastError = '';
    const warning = await findEvictionWarning(this.commands);
    if (warning !== undefined) this.logger.warn(warning);
  }
}

/** Returns a sentence when Redis evicts keys; undefined when it does not, or does not show its settings. */
export async function findEvictionWarning(client: Redis): Promise<string | undefined> {
  const [, policy] = await client.config('GET', 'maxmemory-policy').then(
    (answer) => answer,
    () => [],
  );
  if (policy === undefined || policy === 'noeviction') return undefined;
  return `Redis has maxmemory-policy ${policy}; it must be noeviction`;
}

/**
 * Redis error codes of temporary states: out of memory, a read-only replica, too few replicas, loading, a cluster or
 * master that is down, a failed snapshot, a script that runs too long. Older versions put them into a script's error.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const UNAVAILABLE_REPLY =
  /(?:^|[\s-])(?:OOM|READONLY|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|BUSY) /;

/** Messages of ioredis for a command that was not answered or not sent. */
const UNAVAILABLE_CONNECTION =
  /^(?:Command timed out|Connection is closed\.|Stream isn't writeable|Reached the max retries per request limit)/;

/** Errors of ioredis for commands left unanswered by a lost connection. */
const UNAVAILABLE_NAMES = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError']);

/** Returns whether an error means that Redis is temporarily unavailable. */
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

/** Returns the database number of a Redis URL. Pub/sub ignores it, so channel names contain it. */
export function getDatabaseNumber(url: string): string {
  const [, number = '0'] = /^\/(\d+)$/.exec(new URL(url).pathname) ?? [];
  return number;
}

/** The listener of a subscription. */
interface SubscriptionListener {
  onMessage(message: string, channel: string): void;
  /** Called when a connection is lost: messages may be missed, and Redis may come back without its latest writes. */
  onLost?(): void;
  /** What happens without messages, for the log: "ended sessions are noticed within a second". */
  readonly impact: string;
}

/**
 * The subscriptions of one listener on the connection that all listeners of this process share. Subscribes again after
 * each reconnection.
 */
export class RedisSubscription {
  private readonly logger = new Logger(RedisSubscription.name);
  private readonly channels = new Set<string>();
  private activeSince = Infinity;
  private lastError = '';

  constructor(
    private readonly clients: RedisClients,
    private readonly listener: SubscriptionListener,
  ) {}

  /** Starts listening to a channel. Without Redis it starts after the connection. */
  open(channel: string): void {
    const { commands, subscriber } = this.clients;
    subscriber.on('message', this.onMessage);
    subscriber.on('ready', this.subscribeAll);
    subscriber.on('close', this.deactivate);
    for (const client of [commands, subscriber]) client.on('close', this.onLost);
    this.channels.add(channel);
    this.subscribeAll();
  }

  /** Stops listening. */
  close(): void {
    const { commands, subscriber } = this.clients;
    subscriber.off('message', this.onMessage);
    subscriber.off('ready', this.subscribeAll);
    subscriber.off('close', this.deactivate);
    for (const client of [commands, subscriber]) client.off('close', this.onLost);
    this.channels.clear();
    this.deactivate();
  }

  /** Adds a channel. Resolves when Redis has confirmed it. */
  async add(channel: string): Promise<void> {
    this.channels.add(channel);
    await this.clients.subscriber.subscribe(channel);
  }

  /** Removes a channel. Ignores errors: without a connection there is no subscription. */
  async remove(channel: string): Promise<void> {
    this.channels.delete(channel);
    await this.clients.subscriber.unsubscribe(channel).catch(() => undefined);
  }

  /** Returns whether every message since `time` (Date.now()) has arrived. */
  isActiveSince(time: number): boolean {
    return this.activeSince < time && this.clients.subscriber.status === 'ready';
  }

  private readonly onMessage = (channel: string, message: string): void => {
    if (this.channels.has(channel)) this.listener.onMessage(message, channel);
  };

  private readonly onLost = (): void => this.listener.onLost?.();

  private readonly deactivate = (): void => {
    this.activeSince = Infinity;
  };

  private readonly subscribeAll = (): void => {
    this.clients.subscriber.subscribe(...this.channels).then(
      () => {
        this.activeSince = Math.min(this.activeSince, Date.now());
        this.lastError = '';
      },
      (error: Error) => this.warn(error),
    );
  };

  /** Logs an error unless it repeats the last one. */
  private warn({ message }: Error): void {
    if (message !== this.lastError) this.logger.warn(`no messages from Redis: ${message}; ${this.listener.impact}`);
    this.lastError = message;
  }
}
