import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';
import { randomBytes, randomUUID } from 'node:crypto';
import { DataKeyCache } from './data-key-cache';
import { EncryptionError } from './ciphertext';
import { MasterKeys } from './master-keys';

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
 * cached for a minute. Without its key, no copy of the encrypted data can be decrypted.
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

  private async make(userId: number | null): Promise<WrappedDataKey> {
    const keyId = randomUUID();
    const wrappedKey = await this.masterKeys.wrap(randomBytes(32), associatedData({ userId, keyId }));
    return this.store.put({ userId, keyId, wrappedKey });
  }

  private async unwrap(wrapped: WrappedDataKey): Promise<DataKey> {
    const { userId, keyId, wrappedKey } = wrapped;
    return { userId, keyId, key: await this.masterKeys.unwrap(wrappedKey, associatedData(wrapped)) };
  }
}

/** Returns the data that binds a wrapped key to its user and id; moved to another row it cannot be unwrapped. */
export function associatedData({ userId, keyId }: Pick<WrappedDataKey, 'userId' | 'keyId'>): Buffer {
  return Buffer.from(JSON.stringify(['data_keys', userId, keyId]));
}
