import { randomBytes } from 'node:crypto';
import {
  DataKeyCache,
  DataKeys,
  type DataKeyStore,
  type WrappedDataKey,
} from '../../src/platform/encryption/data-keys';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import { LocalMasterKeys } from '../../src/platform/encryption/master-keys';
import type { RedisClients } from '../../src/platform/redis/redis-clients';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyFile, newMasterKey } from '../../src/platform/encryption/key-file';

/** A master key of a test. */
export interface TestMasterKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Creates a master key. */
export function createMasterKey(id: string): TestMasterKey {
  return { id, key: randomBytes(32) };
}

/** The table data_keys in memory. */
export class InMemoryDataKeys {
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

/** Creates an encryption service as a new process would, on a store that outlives it. */
export function createEncryption(store: InMemoryDataKeys, ...keys: readonly TestMasterKey[]): EncryptionService {
  const masterKeys = new LocalMasterKeys({ encryption: { keys, keyFile: undefined } });
  // There is one process, so no other needs a notification.
  const redis = {
    commands: { publish: () => Promise.resolve(0) },
    subscriber: { status: 'ready' },
  } as unknown as RedisClients;
  return new EncryptionService(
    new DataKeys(store as unknown as DataKeyStore, masterKeys, new DataKeyCache(redis, { encryption: { cacheMs: 0 } })),
  );
}

/** A key file for one test. */
export interface TestKeyFile {
  /** The settings that make processes use it. */
  readonly settings: Readonly<Record<string, string>>;
  remove(): void;
}

/** Creates such a file. The first key is the current one. */
export function createKeyFile(ids: readonly string[] = ['k1']): TestKeyFile {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-keys-'));
  const path = join(folder, 'encryption-keys.json');
  new KeyFile(path).create({ current: ids[0]!, keys: new Map(ids.map((id) => [id, newMasterKey()])) });
  return {
    settings: { ENCRYPTION_KEYS: '', ENCRYPTION_KEY_FILE: path },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
