import { Logger } from '@nestjs/common';
import type { Config } from '../config/config';
import { decrypt, encrypt, EncryptionError, readSealed, writeSealed } from './ciphertext';
import { KeyFile, newMasterKey, type KeyRing } from './key-file';

/**
 * The keys that wrap data keys; no database and no backup contains them. LocalMasterKeys reads them from the settings
 * or a key file; KmsMasterKeys uses those of a key management service.
 */
export abstract class MasterKeys {
  /** Id of the key that wraps. */
  abstract readonly currentId: string;

  /** Ids of all keys, the current one first. */
  abstract readonly ids: readonly string[];

  /** True when `prepare`, `promote` and `retire` work; otherwise the operator changes the settings. */
  abstract readonly makesKeys: boolean;

  /**
   * Wraps a data key as `<version>.<master key id>.…`; unwrapping needs the same `associated`.
   * @throws KeyServiceUnavailable, also when a key management service refuses the key
   */
  abstract wrap(dataKey: Buffer, associated: Buffer): Promise<string>;

  /**
   * Unwraps a data key.
   * @throws KeyServiceUnavailable as `wrap`; EncryptionError when it was altered or moved, or its master key is missing
   */
  abstract unwrap(wrapped: string, associated: Buffer): Promise<Buffer>;

  /** Creates a key with this id, which does not wrap yet. Does nothing when it exists. */
  abstract prepare(id: string): Promise<void>;

  /** Makes a prepared key the current one, in all processes. */
  abstract promote(id: string): Promise<void>;

  /** Destroys a key other than the current one. Data keys it still wraps are lost. */
  abstract retire(id: string): Promise<void>;
}

const VERSION = 'w1';

/** The keys of the settings, or the path of the key file. */
interface LocalKeySettings {
  readonly encryption: Pick<Config['encryption'], 'keys' | 'keyFile'>;
}

/**
 * Master keys from ENCRYPTION_KEYS, changed by the operator, or from ENCRYPTION_KEY_FILE, changed by rotations. The
 * file is checked before every wrapping and for an unknown key, so a change applies everywhere at once.
 */
export class LocalMasterKeys extends MasterKeys {
  private readonly logger = new Logger(LocalMasterKeys.name);
  private readonly file: KeyFile | undefined;
  private known: KeyRing;
  private stamp = '';

  /** @throws ConfigError when the key file is missing, invalid, or readable by others */
  constructor({ encryption: { keys, keyFile } }: LocalKeySettings) {
    super();
    if (keyFile === undefined) {
      this.known = { current: keys[0]?.id ?? '', keys: new Map(keys.map(({ id, key }) => [id, key])) };
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
      writeSealed(VERSION, {
        keyId,
        ...encrypt(keys.get(keyId)!, dataKey, buildAssociatedData(VERSION, keyId, associated)),
      }),
    );
  }

  async unwrap(wrapped: string, associated: Buffer): Promise<Buffer> {
    const { keyId, ...ciphertext } = readSealed(VERSION, wrapped);
    const key = this.known.keys.get(keyId) ?? this.latest().keys.get(keyId);
    if (!key) throw new EncryptionError(`there is no master key ${JSON.stringify(keyId)}, which a data key needs`);
    try {
      return await Promise.resolve(decrypt(key, ciphertext, buildAssociatedData(VERSION, keyId, associated)));
    } catch (cause) {
      throw new EncryptionError('a wrapped data key cannot be unwrapped', { cause });
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
      if (id === current) throw new EncryptionError('the current master key cannot be retired');
      return { current, keys: new Map([...keys].filter(([known]) => known !== id)) };
    });
  }

  private async change(work: (ring: KeyRing) => KeyRing): Promise<void> {
    if (!this.file) throw new EncryptionError('the master keys come from ENCRYPTION_KEYS; change that setting instead');
    await this.file.change(work);
  }

  /** Returns the keys of the file, or the last known ones while it cannot be read. */
  private latest(): KeyRing {
    if (!this.file) return this.known;
    try {
      // Read before the content: a change between the two is noticed the next time.
      const { stamp } = this.file;
      if (stamp === this.stamp) return this.known;
      this.known = this.file.read();
      this.stamp = stamp;
    } catch (error) {
      this.logger.error(`using the last known master keys: ${(error as Error).message}`);
    }
    return this.known;
  }
}

/** Returns the data that binds a wrapped key to its version, its master key and `associated`. */
export function buildAssociatedData(version: string, keyId: string, associated: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${version}.${keyId}.`), associated]);
}
