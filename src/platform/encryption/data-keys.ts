import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
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

/** A key that another process destroyed is used here for at most so long. */
const KEPT_MS = 60_000;

/** More users are not busy in one minute; the oldest make room. */
const MAX_KEPT = 10_000;

/**
 * The data keys of users, one each, made at their first secret and wrapped by a master key. Opened keys are kept in
 * memory for a minute. Destroying a key erases what it sealed, wherever a copy of it lies.
 */
@Injectable()
export class DataKeys {
  private readonly kept = new Map<string, { dataKey: DataKey; until: number }>();
  private readonly current = new Map<number | null, string>();

  constructor(
    private readonly store: DataKeyStore,
    private readonly masterKeys: MasterKeys,
  ) {}

  /** The key that seals for this user, made when he has none; null is nobody. */
  async ofUser(userId: number | null): Promise<DataKey> {
    const known = this.keptKey(this.current.get(userId) ?? '');
    if (known) return known;
    return this.keep(await this.unwrap((await this.store.ofUser(userId)) ?? (await this.make(userId))));
  }

  /** The key a sealed value names. @throws EncryptionError when it was destroyed or never was */
  async byId(keyId: string): Promise<DataKey> {
    const known = this.keptKey(keyId);
    if (known) return known;
    const wrapped = await this.store.find(keyId);
    if (!wrapped) throw new EncryptionError('the data key of a sealed value was destroyed');
    return this.keep(await this.unwrap(wrapped));
  }

  /** Destroys the user's key: at once here, within a minute in other processes, nothing it sealed opens any more. */
  async destroy(userId: number): Promise<boolean> {
    const destroyed = await this.store.destroy(userId);
    this.kept.delete(this.current.get(userId) ?? '');
    this.current.delete(userId);
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

  private keptKey(keyId: string): DataKey | undefined {
    const entry = this.kept.get(keyId);
    return entry && entry.until > Date.now() ? entry.dataKey : undefined;
  }

  private keep(dataKey: DataKey): DataKey {
    this.kept.set(dataKey.keyId, { dataKey, until: Date.now() + KEPT_MS });
    this.current.set(dataKey.userId, dataKey.keyId);
    if (this.kept.size > MAX_KEPT) {
      const [oldest, entry] = this.kept.entries().next().value!;
      this.kept.delete(oldest);
      this.current.delete(entry.dataKey.userId);
    }
    return dataKey;
  }
}

/** Binds a wrapped key to its user and its name: moved to another row it does not open. */
export function associatedData({ userId, keyId }: Pick<WrappedDataKey, 'userId' | 'keyId'>): Buffer {
  return Buffer.from(JSON.stringify(['data_keys', userId, keyId]));
}
