import { Inject, Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config';
import { decrypt, encrypt } from './aes-gcm';
import { EncryptionError } from './encryption-error';
import { KeyFile, newMasterKey, type KeyRing } from './key-file';
import { MasterKeys } from './master-keys';
import { readSealed, writeSealed } from './sealed-text';

const VERSION = 'w1';

/**
 * Master keys in the process, from ENCRYPTION_KEYS, which the operator changes, or from ENCRYPTION_KEY_FILE, which a
 * rotation changes. The file is looked at before every wrapping and whenever a key is unknown, so a change of it counts
 * everywhere at once.
 */
@Injectable()
export class LocalMasterKeys extends MasterKeys {
  private readonly logger = new Logger(LocalMasterKeys.name);
  private readonly file: KeyFile | undefined;
  private known: KeyRing;
  private stamp = '';

  /** @throws ConfigError when the key file is missing, is none, or others may read it */
  constructor(@Inject(Config) { encryption: { keys, keyFile } }: Pick<Config, 'encryption'>) {
    super();
    if (keyFile === undefined) {
      this.known = { current: keys[0]!.id, keys: new Map(keys.map(({ id, key }) => [id, key])) };
    } else {
      this.file = new KeyFile(keyFile);
      this.stamp = this.file.stamp;
      this.known = this.file.read();
    }
  }

  get currentId(): string {
    return this.latest().current;
  }

  get ids(): readonly string[] {
    const { current, keys } = this.latest();
    return [current, ...[...keys.keys()].filter((id) => id !== current)];
  }

  get makesKeys(): boolean {
    return this.file !== undefined;
  }

  wrap(dataKey: Buffer, associated: Buffer): Promise<string> {
    const { current: keyId, keys } = this.latest();
    return Promise.resolve(
      writeSealed(VERSION, { keyId, ...encrypt(keys.get(keyId)!, dataKey, bound(keyId, associated)) }),
    );
  }

  async unwrap(wrapped: string, associated: Buffer): Promise<Buffer> {
    const { keyId, ...box } = readSealed(VERSION, wrapped);
    const key = this.known.keys.get(keyId) ?? this.latest().keys.get(keyId);
    if (!key) throw new EncryptionError(`there is no master key ${JSON.stringify(keyId)}, which a data key needs`);
    try {
      return await Promise.resolve(decrypt(key, box, bound(keyId, associated)));
    } catch (cause) {
      throw new EncryptionError('a wrapped data key does not open', { cause });
    }
  }

  prepare(id: string): Promise<void> {
    return this.change(({ current, keys }) => ({
      current,
      keys: keys.has(id) ? keys : new Map([...keys, [id, newMasterKey()]]),
    }));
  }

  promote(id: string): Promise<void> {
    return this.change(({ keys }) => {
      if (!keys.has(id)) throw new EncryptionError(`there is no master key ${JSON.stringify(id)} to promote`);
      return { current: id, keys };
    });
  }

  retire(id: string): Promise<void> {
    return this.change(({ current, keys }) => {
      if (id === current) throw new EncryptionError('the current master key cannot retire');
      return { current, keys: new Map([...keys].filter(([known]) => known !== id)) };
    });
  }

  private async change(work: (ring: KeyRing) => KeyRing): Promise<void> {
    if (!this.file)
      throw new EncryptionError('the master keys are those of ENCRYPTION_KEYS, which the operator changes');
    await this.file.change(work);
  }

  /** A file that cannot be read for a moment leaves the keys as they were known. */
  private latest(): KeyRing {
    if (!this.file) return this.known;
    try {
      // Taken before the content: a change between the two is noticed the next time.
      const { stamp } = this.file;
      if (stamp === this.stamp) return this.known;
      this.known = this.file.read();
      this.stamp = stamp;
    } catch (error) {
      this.logger.error(`the master keys are used as last known: ${(error as Error).message}`);
    }
    return this.known;
  }
}

function bound(keyId: string, associated: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${VERSION}.${keyId}.`), associated]);
}
