import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataKeyMemory } from './data-key-memory';
import { DataKeyStore, type WrappedDataKey } from './data-key-store';
import { EncryptionError } from './encryption-error';
import { MasterKeys } from './master-keys';

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
    private readonly memory: DataKeyMemory,
  ) {}

  /** The key that seals for this user, made when he has none; null is nobody. */
  async ofUser(userId: number | null): Promise<DataKey> {
    const known = this.memory.ofUser(userId);
    return (
      known ?? this.memory.keep(async () => this.unwrap((await this.store.ofUser(userId)) ?? (await this.make(userId))))
    );
  }

  /** The key a sealed value names. @throws EncryptionError when it was destroyed or never was */
  async byId(keyId: string): Promise<DataKey> {
    const known = this.memory.byId(keyId);
    if (known) return known;
    return this.memory.keep(async () => {
      const wrapped = await this.store.find(keyId);
      if (!wrapped) throw new EncryptionError('the data key of a sealed value was destroyed');
      return this.unwrap(wrapped);
    });
  }

  /** Destroys the user's key: at once here, within a second in other processes, nothing it sealed opens any more. */
  async destroy(userId: number): Promise<boolean> {
    const destroyed = await this.store.destroy(userId);
    await this.memory.forget(userId);
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
