import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisClients } from '../redis/redis-clients';
import { buildErasureMark } from '../redis/tenant-keys';

/** Lifetime of a value when its tenant changes nothing. */
export const VALUE_SECONDS = 600;

/** Longest value stored. */
const MAX_LENGTH = 64 * 1024;

/**
 * Most that a process stores per lifetime of a value. Redis also stores sessions and queues and must never be full:
 * this limits the cache to twice this length per process.
 */
const MAX_STORED = 64 * 1024 * 1024;

/** An instant as JSON.stringify writes a Date. Any such text serializes back to the same text. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Stores a value unless its tenant was erased meanwhile: a read that began before the erasure may end after it.
 * KEYS: value, mark of the erasure. ARGV: value, lifetime (s).
 */
const SET_UNLESS_ERASED = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1`;

/** The values in Redis, shared by all processes, as readable JSON. Failures of Redis count as misses. */
@Injectable()
export class SharedCacheStore {
  private readonly redis: Redis;
  private storedLength = 0;
  private windowStart = 0;

  constructor(clients: RedisClients) {
    this.redis = clients.commands;
  }

  /** Returns the value of a key, instants as Dates; undefined when there is none. */
  async get(key: string): Promise<{ value: object; text: string } | undefined> {
    try {
      const text = await this.redis.get(key);
      return text === null ? undefined : { value: JSON.parse(text, reviveInstant) as object, text };
    } catch {
      return undefined;
    }
  }

  /** Stores a tenant's value if the budget allows, without waiting for Redis. */
  put(userId: number, key: string, text: string): void {
    const now = performance.now();
    if (now - this.windowStart > VALUE_SECONDS * 1_000) [this.windowStart, this.storedLength] = [now, 0];
    if (text.length > MAX_LENGTH || this.storedLength + text.length > MAX_STORED) return;
    this.storedLength += text.length;
    this.redis.eval(SET_UNLESS_ERASED, 2, key, buildErasureMark(userId), text, VALUE_SECONDS).catch(() => undefined);
  }
}

function reviveInstant(_name: string, value: unknown): unknown {
  return typeof value === 'string' && INSTANT.test(value) ? new Date(value) : value;
}

/** The JSON of frozen values. */
const texts = new WeakMap<object, string>();

/** Remembers the JSON of a frozen value. */
export function rememberSerialized(value: object, text: string): void {
  texts.set(value, text);
}

/** Returns the remembered JSON of a value, which saves serializing it again; undefined when there is none. */
export function serializedJson(value: object): string | undefined {
  return texts.get(value);
}
