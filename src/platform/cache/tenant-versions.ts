import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { Config } from '../config/config';
import { databaseNumberOf } from '../redis/database-number';
import { RedisClients } from '../redis/redis-clients';
import { buildId } from './build-id';
import { BUMP_UNCLAIMED, STANDS_OR_PUT } from './cache-scripts';

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

interface Known {
  version: Version | undefined;
  asked: Promise<void>;
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
  private readonly known = new LRUCache<number, Known>({ max: MAX_TENANTS });
  private space: string | undefined;

  constructor(clients: RedisClients, config: Config) {
    this.redis = clients.commands;
    this.channel = `gigvault:${databaseNumberOf(config.redis.url)}:cache`;
  }

  /** Begins to use the keys of one run of Redis; undefined ends that. Whatever was remembered is forgotten. */
  use(space: string | undefined): void {
    this.space = space;
    this.known.clear();
    // Made now, when nobody waits for it.
    if (space !== undefined) buildId();
  }

  /** The tenant's version as remembered; undefined when it must be asked for. */
  current(userId: number): Version | undefined {
    return this.known.get(userId)?.version;
  }

  /** Asks Redis for the tenant's version; undefined when that fails, or when it changed meanwhile. */
  async learn(userId: number): Promise<Version | undefined> {
    if (this.space === undefined) return undefined;
    const known = this.known.get(userId) ?? this.ask(userId, this.space);
    await known.asked;
    return this.known.peek(userId) === known ? known.version : undefined;
  }

  /** Forgets the tenant's version in this process. */
  drop(userId: number): void {
    this.known.delete(userId);
  }

  /**
   * Gives the tenant a new version and tells all processes; what is kept under the old one is dead from then on. One round
   * trip. Does nothing while no Redis is in use.
   */
  async bump(userId: number): Promise<void> {
    this.drop(userId);
    if (this.space === undefined) return;
    const token = newToken();
    const answers = await this.redis
      .pipeline()
      .set(keyOf(this.space, userId), token, 'EX', VERSION_SECONDS)
      .publish(this.channel, `${userId}:${token}`)
      .exec();
    const failed = answers?.find(([error]) => error !== null);
    if (failed) throw failed[0]!;
  }

  /** Does as `bump` for each change that no process has done it for yet, and forgets all those tenants here. */
  async bumpUnclaimed(changes: readonly TenantChange[], space: string): Promise<number> {
    let bumped = 0;
    for (let start = 0; start < changes.length; start += CHANGES_PER_SCRIPT) {
      const some = changes.slice(start, start + CHANGES_PER_SCRIPT);
      const keys = some.flatMap(([userId, transactionId]) => [
        keyOf(space, userId),
        `${space}:claim:${transactionId}:${userId}`,
      ]);
      const tenants = some.map(([userId]) => userId);
      const args = [this.channel, newToken(), VERSION_SECONDS, CLAIM_SECONDS, ...tenants];
      bumped += Number(await this.redis.eval(BUMP_UNCLAIMED, keys.length, ...keys, ...args));
      for (const userId of tenants) this.drop(userId);
    }
    return bumped;
  }

  /** Takes a message of the channel: a version that is not the one told is forgotten. */
  hear(message: string): void {
    const [userId = '', token = ''] = message.split(':');
    const known = this.known.peek(Number(userId));
    if (known && known.version?.token !== token) this.drop(Number(userId));
  }

  /** What is dropped while it is asked for is no longer in the map, and so never believed. */
  private ask(userId: number, space: string): Known {
    const known: Known = { version: undefined, asked: Promise.resolve() };
    const key = keyOf(space, userId);
    known.asked = this.redis.eval(STANDS_OR_PUT, 1, key, newToken(), VERSION_SECONDS).then(
      (answer) => {
        const token = String(answer);
        known.version = { token, prefix: `${key}:${token}:${buildId()}:` };
      },
      () => {
        if (this.known.peek(userId) === known) this.drop(userId);
      },
    );
    this.known.set(userId, known);
    return known;
  }
}

function keyOf(space: string, userId: number): string {
  return `${space}:${userId}`;
}

function newToken(): string {
  return randomBytes(12).toString('base64url');
}
