import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Config } from '../config/config';
import { databaseNumberOf, reconnectAfterFailover } from '../redis/redis-clients';

/** Longest pause between two attempts to connect anew. */
const MAX_RECONNECT_MS = 2_000;

/**
 * The queue's connections to Redis. Bull brings an older ioredis of its own; the whole process speaks through one
 * version instead. Bull does not close connections it did not make, so this does.
 */
@Injectable()
export class QueueConnections {
  /** With the database's number in it, two installations in one Redis stay apart. */
  readonly prefix: string;
  private readonly connections: Redis[] = [];

  constructor(private readonly config: Config) {
    this.prefix = `gigvault:${databaseNumberOf(config.redis.url)}`;
  }

  /** Makes one connection; what blocks or listens waits for a lost Redis without end, commands do not. */
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

  /** Closes them all, without waiting for answers. */
  close(): void {
    for (const connection of this.connections) connection.disconnect();
  }
}
