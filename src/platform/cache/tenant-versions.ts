import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { Config } from '../config/config';
import { databaseNumberOf, RedisClients } from '../redis/redis-clients';

const SOURCE = resolve(__dirname, '..', '..');

let cachedId: string | undefined;

/**
 * A hash of the server's own code. What one build has stored may have another form than the next one answers with, so
 * they share no values, though they share the tenants' versions. Reads the code once a process, some 30 ms.
 */
export function buildId(): string {
  cachedId ??= readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!\.spec|\.d)\.[jt]s$/.test(file))
    .sort()
    .reduce((hash, file) => hash.update(file).update(readFileSync(join(SOURCE, file))), createHash('sha256'))
    .digest('base64url')
    .slice(0, 12);
  return cachedId;
}

/**
 * Returns what stands under a key, and puts the given value there when nothing does.
 * KEYS: key. ARGV: value, life (s).
 */
export const GET_OR_SET = `
local stands = redis.call('GET', KEYS[1])
if stands then return stands end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]`;

/**
 * Gives tenants a new version, each for a change that nobody has done it for yet: every process hears of each change.
 * KEYS: of each change the tenant's version and the claim of the change. ARGV: channel, token, life of a version, life of
 * a claim (both s), then of each change the tenant.
 * Returns how many were new.
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

/** Tenants whose version this process remembers. */
const MAX_TENANTS = 50_000;

/** Longer than any value, so that one does not lose its version while it lives. */
const VERSION_SECONDS = 24 * 3600;

/** Longer than the slowest process takes to hear of a change. */
const CLAIM_SECONDS = 60;

/** One script holds Redis up; a set of that many changes takes it a few milliseconds. */
const CHANGES_PER_SCRIPT = 500;

/** What a tenant's values are kept under until something of his changes; two of the same object are the same version. */
export interface Version {
  readonly token: string;
  /** Beginning of the keys of values in Redis. */
  readonly prefix: string;
}

/** One change of a tenant's rows, as audit.changes_since() tells it. */
export type TenantChange = readonly [userId: number, transactionId: string];

interface VersionEntry {
  version: Version | undefined;
  loaded: Promise<void>;
}

/**
 * The versions of tenants: random tokens in Redis, which all processes share, and what this process remembers of them. A
 * token is never used twice, so nothing that was kept under an old one ever comes back.
 */
@Injectable()
export class TenantVersions {
  /** Where all processes hear of new versions. */
  readonly channel: string;
  private readonly redis: Redis;
  private readonly entries = new LRUCache<number, VersionEntry>({ max: MAX_TENANTS });
  private keySpace: string | undefined;

  constructor(clients: RedisClients, config: Config) {
    this.redis = clients.commands;
    this.channel = `gigvault:${databaseNumberOf(config.redis.url)}:cache`;
  }

  /** Begins to use the keys of one run of Redis; undefined ends that. Whatever was remembered is forgotten. */
  setKeySpace(space: string | undefined): void {
    this.keySpace = space;
    this.entries.clear();
    // Made now, when nobody waits for it.
    if (space !== undefined) buildId();
  }

  /** The tenant's version as remembered; undefined when it must be asked for. */
  get(userId: number): Version | undefined {
    return this.entries.get(userId)?.version;
  }

  /** Asks Redis for the tenant's version; undefined when that fails, or when it changed meanwhile. */
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
   * Gives the tenant a new version and tells all processes; what is kept under the old one is dead from then on. One round
   * trip. Does nothing while no Redis is in use.
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

  /** Does as `bump` for each change that no process has done it for yet, and forgets all those tenants here. */
  async invalidateOnce(changes: readonly TenantChange[], space: string): Promise<number> {
    let bumped = 0;
    for (let start = 0; start < changes.length; start += CHANGES_PER_SCRIPT) {
      const some = changes.slice(start, start + CHANGES_PER_SCRIPT);
      const keys = some.flatMap(([userId, transactionId]) => [
        keyOf(space, userId),
        `${space}:claim:${transactionId}:${userId}`,
      ]);
      const tenants = some.map(([userId]) => userId);
      const args = [this.channel, newToken(), VERSION_SECONDS, CLAIM_SECONDS, ...tenants];
      bumped += Number(await this.redis.eval(INVALIDATE_ONCE, keys.length, ...keys, ...args));
      for (const userId of tenants) this.drop(userId);
    }
    return bumped;
  }

  /** Takes a message of the channel: a version that is not the one told is forgotten. */
  onMessage(message: string): void {
    const [userId = '', token = ''] = message.split(':');
    const known = this.entries.peek(Number(userId));
    if (known && known.version?.token !== token) this.drop(Number(userId));
  }

  /** What is dropped while it is asked for is no longer in the map, and so never believed. */
  private request(userId: number, space: string): VersionEntry {
    const known: VersionEntry = { version: undefined, loaded: Promise.resolve() };
    const key = keyOf(space, userId);
    known.loaded = this.redis.eval(GET_OR_SET, 1, key, newToken(), VERSION_SECONDS).then(
      (answer) => {
        const token = String(answer);
        known.version = { token, prefix: `${key}:${token}:${buildId()}:` };
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
