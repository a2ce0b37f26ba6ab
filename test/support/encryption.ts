import { randomBytes } from 'node:crypto';
import { DataKeyMemory } from '../../src/platform/encryption/data-key-memory';
import type { DataKeyStore, WrappedDataKey } from '../../src/platform/encryption/data-key-store';
import { DataKeys } from '../../src/platform/encryption/data-keys';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import { LocalMasterKeys } from '../../src/platform/encryption/local-master-keys';
import type { RedisClients } from '../../src/platform/redis/redis-clients';

/** One master key of a test. */
export interface TestMasterKey {
  readonly id: string;
  readonly key: Buffer;
}

/** A fresh master key. */
export function aMasterKey(id: string): TestMasterKey {
  return { id, key: randomBytes(32) };
}

/** Table data_keys in memory. */
export class DataKeysInMemory {
  readonly rows = new Map<number | null, WrappedDataKey>();

  ofUser(userId: number | null): Promise<WrappedDataKey | undefined> {
    return Promise.resolve(this.rows.get(userId));
  }

  find(keyId: string): Promise<WrappedDataKey | undefined> {
    return Promise.resolve([...this.rows.values()].find((row) => row.keyId === keyId));
  }

  put(row: WrappedDataKey): Promise<WrappedDataKey> {
    if (!this.rows.has(row.userId)) this.rows.set(row.userId, row);
    return Promise.resolve(this.rows.get(row.userId)!);
  }

  destroy(userId: number): Promise<boolean> {
    return Promise.resolve(this.rows.delete(userId));
  }
}

/** An encryption service as a new process would have it, on a store that outlives it. */
export function encryptionOn(store: DataKeysInMemory, ...keys: readonly TestMasterKey[]): EncryptionService {
  const masterKeys = new LocalMasterKeys({ encryption: { keys, keyFile: undefined } });
  // One process, which nobody has to tell anything.
  const redis = {
    commands: { publish: () => Promise.resolve(0) },
    subscriber: { status: 'ready' },
  } as unknown as RedisClients;
  return new EncryptionService(new DataKeys(store as unknown as DataKeyStore, masterKeys, new DataKeyMemory(redis)));
}
