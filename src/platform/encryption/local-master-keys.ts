import { Inject, Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { decrypt, encrypt } from './aes-gcm';
import { EncryptionError } from './encryption-error';
import { MasterKeys } from './master-keys';
import { readSealed, writeSealed } from './sealed-text';

const VERSION = 'w1';

/** Master keys in the process: ENCRYPTION_KEYS, which the launcher keeps in a file only its owner may read. */
@Injectable()
export class LocalMasterKeys extends MasterKeys {
  readonly currentId: string;
  readonly ids: readonly string[];
  private readonly keys: ReadonlyMap<string, Buffer>;

  constructor(@Inject(Config) { encryption }: Pick<Config, 'encryption'>) {
    super();
    this.keys = new Map(encryption.keys.map(({ id, key }) => [id, key]));
    this.ids = [...this.keys.keys()];
    this.currentId = this.ids[0]!;
  }

  wrap(dataKey: Buffer, associated: Buffer): Promise<string> {
    const keyId = this.currentId;
    return Promise.resolve(writeSealed(VERSION, { keyId, ...encrypt(this.keyOf(keyId), dataKey, bound(keyId, associated)) }));
  }

  async unwrap(wrapped: string, associated: Buffer): Promise<Buffer> {
    const { keyId, ...box } = readSealed(VERSION, wrapped);
    const key = this.keyOf(keyId);
    try {
      return await Promise.resolve(decrypt(key, box, bound(keyId, associated)));
    } catch (cause) {
      throw new EncryptionError('a wrapped data key does not open', { cause });
    }
  }

  private keyOf(id: string): Buffer {
    const key = this.keys.get(id);
    if (key) return key;
    throw new EncryptionError(`ENCRYPTION_KEYS has no key ${JSON.stringify(id)}, which a data key needs`);
  }
}

function bound(keyId: string, associated: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${VERSION}.${keyId}.`), associated]);
}
