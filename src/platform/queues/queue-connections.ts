import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Config } from '../config/config';
import { getDatabaseNumber, reconnectAfterFailover } from '../redis/redis-clients';

/** Longest pause between two attempts to reconnect. */
const MAX_RECONNECT_MS = 2_000;

/**
 * The queue's connections to Redis. Bull depends on an older ioredis; the whole process uses one version instead. Bull
 * does not close connections it did not open, so this class does.
 */
@Injectable()
export class QueueConnections {
  /** Contains the database number, so that two installations in one Redis stay separate. */
  readonly prefix: string;
  private readonly connections: Redis[] = [];

  constructor(private readonly config: Config) {
    this.prefix = `gigvault:${getDatabaseNumber(config.redis.url)}`;
  }

  /** Opens a connection. Commands fail after two retries; blocking and subscriber connections wait for a lost Redis. */
  create(type: 'client' | 'subscriber' | 'bclient'): Redis {
    const connection = new Redis(this.config.redis.url, {
      connectionName: `gigvault queue ${type}`,
      enableReadyCheck: false,
      maxRetriesPerRequest: type === 'client' ? 2 : null,
      reconnectOnError: reconnectAfterFailover(),
      retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
    });
    this.connections.push(connection);
    return connection;
  }

  /** Closes all connections without waiting for answers. */
  close(): void {
    for (const connection of this.connections) connection.disconnect();
  }
}
