import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';
import { randomBytes, randomUUID } from 'node:crypto';
import { DataKeyCache } from './data-key-cache';
import { EncryptionError } from './ciphertext';
import { MasterKeys } from './master-keys';

/** A data key as it is stored. */
export interface WrappedDataKey {
  /** null: the key of what belongs to nobody. */
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

const COLUMNS = `user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey"`;

/**
 * Table data_keys, by the functions of schema auth: secrets are opened before anybody is signed in (a second factor) and
 * for nobody (letters), so the tenant's gate does not serve. Each method is a transaction of its own.
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

  /** Stores a new key unless the user has one, and returns the one he has. */
  async put({ userId, keyId, wrappedKey }: WrappedDataKey): Promise<WrappedDataKey> {
    await this.database.asAuth((unit) =>
      unit.query(`SELECT auth.put_data_key($1, $2, $3)`, [userId, keyId, wrappedKey]),
    );
    return (await this.ofUser(userId))!;
  }

  /** Destroys the user's key; false when he has none. */
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

/** A data key ready for use. */
export interface DataKey {
  readonly userId: number | null;
  readonly keyId: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/**
 * The data keys of users, one each, made at their first secret and wrapped by a master key. Opened keys are kept in
 * memory for a minute. Destroying a key erases what it sealed, wherever a copy of it lies.
 */
@Injectable()
export class DataKeys {
  constructor(
    private readonly store: DataKeyStore,
    private readonly masterKeys: MasterKeys,
    private readonly memory: DataKeyCache,
  ) {}

  /** The key that seals for this user, made when he has none; null is nobody. */
  async ofUser(userId: number | null): Promise<DataKey> {
    const known = this.memory.ofUser(userId);
    return (
      known ?? this.memory.set(async () => this.unwrap((await this.store.ofUser(userId)) ?? (await this.make(userId))))
    );
  }

  /** The key a sealed value names. @throws EncryptionError when it was destroyed or never was */
  async byId(keyId: string): Promise<DataKey> {
    const known = this.memory.byId(keyId);
    if (known) return known;
    return this.memory.set(async () => {
      const wrapped = await this.store.find(keyId);
      if (!wrapped) throw new EncryptionError('the data key of a sealed value was destroyed');
      return this.unwrap(wrapped);
    });
  }

  /** Destroys the user's key: at once here, within a second in other processes, nothing it sealed opens any more. */
  async destroy(userId: number): Promise<boolean> {
    const destroyed = await this.store.destroy(userId);
    await this.memory.remove(userId);
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

/** Binds a wrapped key to its user and its name: moved to another row it does not open. */
export function associatedData({ userId, keyId }: Pick<WrappedDataKey, 'userId' | 'keyId'>): Buffer {
  return Buffer.from(JSON.stringify(['data_keys', userId, keyId]));
}
