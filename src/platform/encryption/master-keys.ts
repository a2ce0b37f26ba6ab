import { Inject, Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config';
import { decrypt, encrypt, EncryptionError, readSealed, writeSealed } from './ciphertext';
import { KeyFile, newMasterKey, type KeyRing } from './key-file';

/**
 * The keys that wrap data keys, and that no database and no backup holds. LocalMasterKeys has them in the process, from
 * the settings or a key file; a key management service takes its place by implementing these methods.
 */
export abstract class MasterKeys {
  /** Wraps from now on. */
  abstract readonly currentId: string;

  /** All that unwrap, the current one first. */
  abstract readonly ids: readonly string[];

  /** Whether `prepare`, `promote` and `retire` work; else the operator does that, in the settings. */
  abstract readonly makesKeys: boolean;

  /** Returns a data key in the form in which it is stored, `w1.<master key id>.…`; it opens with the same `associated`. */
  abstract wrap(dataKey: Buffer, associated: Buffer): Promise<string>;

  /** Returns the data key. @throws EncryptionError when it was altered or moved, or its master key is not there */
  abstract unwrap(wrapped: string, associated: Buffer): Promise<Buffer>;

  /** Makes a key of this id, which unwraps and does not wrap yet. An id that is there stays as it is. */
  abstract prepare(id: string): Promise<void>;

  /** Lets a prepared key wrap from now on, in all processes. */
  abstract promote(id: string): Promise<void>;

  /** Destroys a key other than the current one: what it still wraps does not open again. */
  abstract retire(id: string): Promise<void>;
}

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
      writeSealed(VERSION, { keyId, ...encrypt(keys.get(keyId)!, dataKey, associatedDataOf(keyId, associated)) }),
    );
  }

  async unwrap(wrapped: string, associated: Buffer): Promise<Buffer> {
    const { keyId, ...box } = readSealed(VERSION, wrapped);
    const key = this.known.keys.get(keyId) ?? this.latest().keys.get(keyId);
    if (!key) throw new EncryptionError(`there is no master key ${JSON.stringify(keyId)}, which a data key needs`);
    try {
      return await Promise.resolve(decrypt(key, box, associatedDataOf(keyId, associated)));
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

function associatedDataOf(keyId: string, associated: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${VERSION}.${keyId}.`), associated]);
}
