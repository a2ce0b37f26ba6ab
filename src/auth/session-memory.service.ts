import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { RedisClients } from '../platform/redis/redis-clients';
import { SessionCache } from './session-cache';
import type { LiveSession } from './session-record';

/** Ids of sessions that ended or changed, for the memories of all processes. */
const CHANGED_CHANNEL = 'sessions-changed';

/** What this process remembers of sessions, and how it is told to forget. */
@Injectable()
export class SessionMemory implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(SessionMemory.name);
  private readonly cache = new SessionCache();
  /** Sessions this process has compared with PostgreSQL since it last lost Redis. */
  private readonly proven = new Set<string>();

  constructor(private readonly clients: RedisClients) {}

  /** Begins to hear of changed sessions. */
  onModuleInit(): void {
    const { commands, subscriber } = this.clients;
    subscriber.on('message', this.hear);
    // A Redis that went away may come back without its latest writes.
    for (const client of [commands, subscriber]) client.on('close', this.forgetAll);
    subscriber.subscribe(CHANGED_CHANNEL).catch((error: Error) => {
      this.logger.warn(`ended sessions are not heard of, only noticed within a second: ${error.message}`);
    });
  }

  onApplicationShutdown(): void {
    const { commands, subscriber } = this.clients;
    subscriber.off('message', this.hear);
    for (const client of [commands, subscriber]) client.off('close', this.forgetAll);
  }

  /** The remembered session, or what `load` answers now. */
  recall(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    return this.cache.get(sessionId, load);
  }

  /** Whether PostgreSQL has said that this session may be; it is asked once a process. */
  isProven(sessionId: string): boolean {
    return this.proven.has(sessionId);
  }

  /** Notes that PostgreSQL has said so. */
  prove(sessionId: string): void {
    this.proven.add(sessionId);
  }

  /** Forgets a session in this process. */
  forget(sessionId: string): void {
    this.cache.drop(sessionId);
    this.proven.delete(sessionId);
  }

  /** Adds to a transaction of Redis that all processes forget a session. */
  announce(multi: ChainableCommander, sessionId: string): void {
    multi.publish(CHANGED_CHANNEL, sessionId);
  }

  private readonly hear = (channel: string, sessionId: string): void => {
    if (channel === CHANGED_CHANNEL) this.forget(sessionId);
  };

  private readonly forgetAll = (): void => {
    this.cache.clear();
    this.proven.clear();
  };
}
