import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { Config } from '../config/config';
import { getDatabaseNumber, RedisClients } from '../redis/redis-clients';
import { buildTenantKey } from '../redis/tenant-keys';

const SOURCE = resolve(__dirname, '..', '..');

let cachedId: string | undefined;

/**
 * Returns a hash of the server's code. Another build may store another format, so builds share the tenants' versions
 * but no values. Reads the code once per process (about 30 ms).
 */
export function buildId(): string {
  cachedId ??= readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!\.spec|\.d)\.[jt]sx?$/.test(file))
    .sort()
    .reduce((hash, file) => hash.update(file).update(readFileSync(join(SOURCE, file))), createHash('sha256'))
    .digest('base64url')
    .slice(0, 12);
  return cachedId;
}

/**
 * Returns the value of a key, and first sets it when there is none.
 * KEYS: key. ARGV: value, lifetime (s).
 */
export const GET_OR_SET = `
local current = redis.call('GET', KEYS[1])
if current then return current end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]`;

/**
 * Sets a new version once per change, although every process reports each change: the first one claims it.
 * KEYS: per change, the tenant's version and the claim of the change. ARGV: channel, token, lifetimes of a version and
 * of a claim (both s), then the tenant of each change.
 * Returns the number of new versions.
 */
export const INVALIDATE_ONCE = `
local bumped = 0
for i = 1, #KEYS, 2 do
  if redis.call('SET', KEYS[i + 1], '', 'NX', 'EX', ARGV[4]) then
    redis.call('SET', KEYS[i], ARGV[2], 'EX', ARGV[3])
    redis.call('PUBLISH', ARGV[1], ARGV[4 + (i + 1) / 2] .. ':' .. ARGV[2])
    bumped = bumped + 1
  end
end
return bumped`;

/** Number of tenants whose version this process remembers. */
const MAX_TENANTS = 50_000;

/** Lifetime of a version; longer than that of any value. */
const VERSION_SECONDS = 24 * 3600;

/** Lifetime of a claim; longer than the slowest process takes to see a change. */
const CLAIM_SECONDS = 60;

/** Limit per script, because a script blocks Redis; this many changes take a few milliseconds. */
const CHANGES_PER_SCRIPT = 500;

/** A tenant's version, under which their values are stored until a change. Equal versions are the same object. */
export interface Version {
  readonly token: string;
  /** Prefix of the keys of values in Redis. */
  readonly prefix: string;
}

/** One change of a tenant's rows, as reported by audit.changes_since(). */
export type TenantChange = readonly [userId: number, transactionId: string];

interface VersionEntry {
  version: Version | undefined;
  loaded: Promise<void>;
}

/**
 * The versions of tenants: random tokens in Redis, shared by all processes and remembered here. A token is never
 * reused, so values of an old version never come back.
 */
@Injectable()
export class TenantVersions {
  /** Pub/sub channel of new versions. */
  readonly channel: string;
  private readonly redis: Redis;
  // `max` would allocate the places of all entries at once, 10 ms of each start.
  private readonly entries = new LRUCache<number, VersionEntry>({ maxSize: MAX_TENANTS, sizeCalculation: () => 1 });
  private keySpace: string | undefined;

  constructor(clients: RedisClients, config: Config) {
    this.redis = clients.commands;
    this.channel = `gigvault:${getDatabaseNumber(config.redis.url)}:cache`;
  }

  /** Sets the key prefix of one run of Redis, or undefined for none, and forgets all versions. */
  setKeySpace(space: string | undefined): void {
    this.keySpace = space;
    this.entries.clear();
    // Computed now, while no request waits for it.
    if (space !== undefined) buildId();
  }

  /** Returns the remembered version of a tenant; undefined when it must be loaded. */
  get(userId: number): Version | undefined {
    return this.entries.get(userId)?.version;
  }

  /** Loads the tenant's version from Redis; undefined when that fails or the version changed meanwhile. */
  async load(userId: number): Promise<Version | undefined> {
    if (this.keySpace === undefined) return undefined;
    const known = this.entries.get(userId) ?? this.request(userId, this.keySpace);
    await known.loaded;
    return this.entries.peek(userId) === known ? known.version : undefined;
  }

  /** Forgets the tenant's version in this process. */
  drop(userId: number): void {
    this.entries.delete(userId);
  }

  /**
   * Sets a new version for the tenant and notifies all processes, in one round trip. Values of the old version are
   * never served again. Without a key space it only forgets the version here.
   */
  async invalidate(userId: number): Promise<void> {
    this.drop(userId);
    if (this.keySpace === undefined) return;
    const token = newToken();
    const answers = await this.redis
      .pipeline()
      .set(keyOf(this.keySpace, userId), token, 'EX', VERSION_SECONDS)
      .publish(this.channel, `${userId}:${token}`)
      .exec();
    const failed = answers?.find(([error]) => error !== null);
    if (failed) throw failed[0]!;
  }

  /** Sets new versions for changes that no process has claimed yet, and forgets all those tenants here. */
  async invalidateOnce(changes: readonly TenantChange[], space: string): Promise<number> {
    let bumped = 0;
    for (let start = 0; start < changes.length; start += CHANGES_PER_SCRIPT) {
      const batch = changes.slice(start, start + CHANGES_PER_SCRIPT);
      const keys = batch.flatMap(([userId, transactionId]) => [
        keyOf(space, userId),
        `${space}:claim:${transactionId}:${userId}`,
      ]);
      const tenants = batch.map(([userId]) => userId);
      const args = [this.channel, newToken(), VERSION_SECONDS, CLAIM_SECONDS, ...tenants];
      bumped += Number(await this.redis.eval(INVALIDATE_ONCE, keys.length, ...keys, ...args));
      for (const userId of tenants) this.drop(userId);
    }
    return bumped;
  }

  /** Handles a message of the channel: forgets a version that differs from the published one. */
  onMessage(message: string): void {
    const [userId = '', token = ''] = message.split(':');
    const known = this.entries.peek(Number(userId));
    if (known && known.version?.token !== token) this.drop(Number(userId));
  }

  /** Requests a version. An entry dropped meanwhile is no longer in the map, so its version is not used. */
  private request(userId: number, space: string): VersionEntry {
    const known: VersionEntry = { version: undefined, loaded: Promise.resolve() };
    const key = keyOf(space, userId);
    known.loaded = this.redis.eval(GET_OR_SET, 1, key, newToken(), VERSION_SECONDS).then(
      (answer) => {
        const token = String(answer);
        known.version = { token, prefix: `${buildTenantKey(userId, space)}:${token}:${buildId()}:` };
      },
      () => {
        if (this.entries.peek(userId) === known) this.drop(userId);
      },
    );
    this.entries.set(userId, known);
    return known;
  }
}

function keyOf(space: string, userId: number): string {
  return `${space}:${userId}`;
}

function newToken(): string {
  return randomBytes(12).toString('base64url');
}
