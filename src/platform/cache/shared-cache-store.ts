import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisClients } from '../redis/redis-clients';

/** How long a value is kept at most, though nothing of its tenant changes. */
export const VALUE_SECONDS = 600;

/** What is longer is not worth its place. */
const MAX_LENGTH = 64 * 1024;

/**
 * How much a process stores in that time. Redis also holds sessions and queues and must never be full: what the cache
 * takes of it is bounded by twice this for each process, whatever is read.
 */
const MAX_STORED = 64 * 1024 * 1024;

/** An instant as JSON.stringify writes a Date; any text that looks like it is written the same way again. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The values in Redis, which all processes share: JSON, so that one can see what lies there. Failures are no values. */
@Injectable()
export class SharedCacheStore {
  private readonly redis: Redis;
  private storedLength = 0;
  private windowStart = 0;

  constructor(clients: RedisClients) {
    this.redis = clients.commands;
  }

  /** The value under a key, instants as Dates; undefined when there is none. */
  async get(key: string): Promise<{ value: object; text: string } | undefined> {
    try {
      const text = await this.redis.get(key);
      return text === null ? undefined : { value: JSON.parse(text, reviveInstant) as object, text };
    } catch {
      return undefined;
    }
  }

  /** Stores a value without waiting for it, where there is room. */
  put(key: string, text: string): void {
    const now = performance.now();
    if (now - this.windowStart > VALUE_SECONDS * 1_000) [this.windowStart, this.storedLength] = [now, 0];
    if (text.length > MAX_LENGTH || this.storedLength + text.length > MAX_STORED) return;
    this.storedLength += text.length;
    this.redis.set(key, text, 'EX', VALUE_SECONDS).catch(() => undefined);
  }
}

function reviveInstant(_name: string, value: unknown): unknown {
  return typeof value === 'string' && INSTANT.test(value) ? new Date(value) : value;
}
