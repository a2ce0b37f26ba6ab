import { randomBytes, randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit, Optional } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { FailoverDetectorService } from '../database/failover-detector.service';
import { SystemDatabase } from '../database/system-database';
import { RedisClients, RedisSubscription } from '../redis/redis-clients';
import { EncryptionError } from './ciphertext';
import { Config } from '../config/config';
import { KeyServiceUnavailable } from './kms/key-service';
import { MasterKeys } from './master-keys';

/** Channel of users whose data key was destroyed, for the caches of all processes. */
const DESTROYED_CHANNEL = 'data-keys-destroyed';

/** Lifetime of an entry while this process is notified of destroyed keys. */
const LIFETIME_MS = 60_000;

/** Lifetime without notifications: a destroyed key must expire within a second. */
const UNSUBSCRIBED_LIFETIME_MS = 900;

/** Limit of entries; more than the users active in one minute. */
const MAX_ENTRIES = 10_000;

interface Entry {
  readonly dataKey: DataKey;
  readonly since: number;
  /** When the master key unwrapped it, unlike `since`, which a use during an outage renews. */
  readonly unwrappedAt: number;
}

/** The unwrapped data keys of this process. Redis notifies it of keys destroyed in other processes. */
@Injectable()
export class DataKeyCache implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(DataKeyCache.name);
  private readonly entries = new LRUCache<string, Entry>({
    max: MAX_ENTRIES,
    dispose: ({ dataKey: { keyId, userId } }) => {
      if (this.current.get(userId) === keyId) this.current.delete(userId);
    },
  });
  private readonly current = new Map<number | null, string>();
  /** Number of removals, so that a key read before its destruction is not cached after it. */
  private removals = 0;
  private readonly subscription: RedisSubscription;

  constructor(
    private readonly clients: RedisClients,
    @Inject(Config) private readonly config: { readonly encryption: Pick<Config['encryption'], 'cacheMs'> },
    @Optional() failovers?: FailoverDetectorService,
  ) {
    // A key whose row was lost would seal secrets that no process can open later.
    failovers?.onPrimary(() => this.clear());
    this.subscription = new RedisSubscription(clients, {
      onMessage: (userId) => this.removeLocally(Number(userId)),
      onLost: () => this.clear(),
      impact: 'destroyed data keys expire within a second',
    });
  }

  /** Subscribes to destroyed keys. */
  onModuleInit(): void {
    this.subscription.open(DESTROYED_CHANNEL);
  }

  onApplicationShutdown(): void {
    this.subscription.close();
    this.clear();
  }

  /** Returns the cached key with this id. */
  byId(keyId: string): DataKey | undefined {
    const entry = this.entries.get(keyId);
    if (!entry) return undefined;
    const lifetimeMs = this.subscription.isActiveSince(entry.since) ? LIFETIME_MS : UNSUBSCRIBED_LIFETIME_MS;
    return Date.now() - entry.since < lifetimeMs ? this.duringOutage(keyId) : undefined;
  }

  /**
   * Returns the cached key while its master key is unavailable: for KMS_CACHE_SECONDS after its entry expired. The
   * caller has checked that the key was not destroyed.
   */
  duringOutage(keyId: string): DataKey | undefined {
    const entry = this.entries.get(keyId);
    if (!entry) return undefined;
    if (Date.now() - entry.unwrappedAt < LIFETIME_MS + this.config.encryption.cacheMs) return entry.dataKey;
    this.entries.delete(keyId);
    return undefined;
  }

  /** Returns the cached key of this user. */
  ofUser(userId: number | null): DataKey | undefined {
    return this.byId(this.current.get(userId) ?? '');
  }

  /** Returns and caches the key from `load`; does not cache it when any key was destroyed meanwhile. */
  async set(load: () => Promise<DataKey>): Promise<DataKey> {
    const { removals } = this;
    const since = Date.now();
    const dataKey = await load();
    if (removals !== this.removals) return dataKey;
    const known = this.entries.peek(dataKey.keyId);
    const unwrappedAt = known?.dataKey === dataKey ? known.unwrappedAt : since;
    this.entries.set(dataKey.keyId, { dataKey, since, unwrappedAt });
    this.current.set(dataKey.userId, dataKey.keyId);
    return dataKey;
  }

  /** Removes a user's key here and in all processes; without Redis their entries expire within a second. */
  async remove(userId: number): Promise<void> {
    this.removeLocally(userId);
    await this.clients.commands.publish(DESTROYED_CHANNEL, String(userId)).catch((error: Error) => {
      this.logger.warn(`other processes were not notified of a destroyed data key: ${error.message}`);
    });
  }

  private removeLocally(userId: number): void {
    this.removals += 1;
    this.entries.delete(this.current.get(userId) ?? '');
  }

  /** Clears the cache: messages published while the connection is lost never arrive. */
  private clear(): void {
    this.removals += 1;
    this.entries.clear();
    this.current.clear();
  }
}

/** A stored data key. */
export interface WrappedDataKey {
  /** null for the key of data without a user. */
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

const COLUMNS = `user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey"`;

/**
 * The table data_keys, accessed by the functions of schema auth: secrets are also decrypted before sign-in (a second
 * factor) and without a user (emails), where `Database` cannot be used. Each method is a separate transaction.
 */
@Injectable()
export class DataKeyStore {
  constructor(private readonly database: SystemDatabase) {}

  ofUser(userId: number | null): Promise<WrappedDataKey | undefined> {
    return this.first(`SELECT ${COLUMNS} FROM auth.find_user_data_key($1)`, [userId]);
  }

  find(keyId: string): Promise<WrappedDataKey | undefined> {
    return this.first(`SELECT ${COLUMNS} FROM auth.find_data_key($1)`, [keyId]);
  }

  /** Stores a new key unless the user has one. Returns the stored one. */
  async put({ userId, keyId, wrappedKey }: WrappedDataKey): Promise<WrappedDataKey> {
    await this.database.asAuth((unit) =>
      unit.query(`SELECT auth.put_data_key($1, $2, $3)`, [userId, keyId, wrappedKey]),
    );
    return (await this.ofUser(userId))!;
  }

  /** Destroys the user's key; false when there is none. */
  async destroy(userId: number): Promise<boolean> {
    const [row] = await this.database.asAuth((unit) =>
      unit.query<{ destroyed: boolean }>(`SELECT auth.destroy_data_key($1) AS destroyed`, [userId]),
    );
    return row?.destroyed ?? false;
  }

  private async first(sql: string, values: readonly unknown[]): Promise<WrappedDataKey | undefined> {
    const [row] = await this.database.asAuth((unit) =>
      unit.query<{ userId: number | null; keyId: string; wrappedKey: string }>(sql, values),
    );
    return row;
  }
}

/** An unwrapped data key. */
export interface DataKey {
  readonly userId: number | null;
  readonly keyId: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/**
 * The data keys of users, one each, created at their first secret and wrapped by a master key. Unwrapped keys are
 * cached for a minute, and longer while their master key is unavailable. Without its key, no copy of the encrypted data
 * can be decrypted.
 */
@Injectable()
export class DataKeys {
  constructor(
    private readonly store: DataKeyStore,
    private readonly masterKeys: MasterKeys,
    private readonly cache: DataKeyCache,
  ) {}

  /** Returns the user's key and creates it when there is none; null is the key without a user. */
  async ofUser(userId: number | null): Promise<DataKey> {
    const cached = this.cache.ofUser(userId);
    return (
      cached ?? this.cache.set(async () => this.unwrap((await this.store.ofUser(userId)) ?? (await this.make(userId))))
    );
  }

  /** Returns the key with this id. @throws EncryptionError when it was destroyed or never existed */
  async byId(keyId: string): Promise<DataKey> {
    const cached = this.cache.byId(keyId);
    if (cached) return cached;
    return this.cache.set(async () => {
      const wrapped = await this.store.find(keyId);
      if (!wrapped) throw new EncryptionError('the data key of a sealed value was destroyed');
      return this.unwrap(wrapped);
    });
  }

  /** Destroys the user's key: its values cannot be decrypted at once here, within a second in other processes. */
  async destroy(userId: number): Promise<boolean> {
    const destroyed = await this.store.destroy(userId);
    await this.cache.remove(userId);
    return destroyed;
  }

  /**
   * Unwraps the stored key without a user, if there is one.
   * @throws EncryptionError when the master keys belong to another database
   */
  async verify(): Promise<void> {
    const wrapped = await this.store.ofUser(null);
    if (wrapped) await this.unwrap(wrapped);
  }

  private async make(userId: number | null): Promise<WrappedDataKey> {
    const keyId = randomUUID();
    const wrappedKey = await this.masterKeys.wrap(randomBytes(32), associatedData({ userId, keyId }));
    return this.store.put({ userId, keyId, wrappedKey });
  }

  private async unwrap(wrapped: WrappedDataKey): Promise<DataKey> {
    const { userId, keyId, wrappedKey } = wrapped;
    try {
      return { userId, keyId, key: await this.masterKeys.unwrap(wrappedKey, associatedData(wrapped)) };
    } catch (error) {
      const cached = error instanceof KeyServiceUnavailable ? this.cache.duringOutage(keyId) : undefined;
      if (!cached) throw error;
      return cached;
    }
  }
}

/** Returns the data that binds a wrapped key to its user and id; moved to another row it cannot be unwrapped. */
export function associatedData({ userId, keyId }: Pick<WrappedDataKey, 'userId' | 'keyId'>): Buffer {
  return Buffer.from(JSON.stringify(['data_keys', userId, keyId]));
}
