import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { EncryptionError } from './encryption-error';
import type { SealContext } from './seal-context';

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;

/** Always given: node accepts a four-byte tag where the length is left open. */
const TAG_BYTES = 16;

/**
 * Seals secrets at rest: AES-256-GCM with a random nonce, bound to the place the value lives in. A sealed value is text,
 * `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url: it names its own version and key, so that keys and formats can
 * change while old values still open.
 * @see NIST SP 800-38D; README.md beside this file
 */
@Injectable()
export class EncryptionService {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly currentId: string;

  constructor(config: Config) {
    const { keys } = config.encryption;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
    this.currentId = keys[0]!.id;
  }

  /**
   * Returns the sealed form of a text. Session: none. Asynchronous because a tenant's data key may have to be fetched.
   * @param context where the value will live; the same is needed to open it
   */
  async seal(plaintext: string, context: SealContext): Promise<string> {
    const key = await this.keyOf(this.currentId);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(this.currentId, context));
    const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [VERSION, this.currentId, nonce.toString('base64url'), body.toString('base64url')].join('.');
  }

  /**
   * Returns the text that was sealed in the same context. Session: none.
   * @throws EncryptionError when the value was altered or moved, or its key is not among ENCRYPTION_KEYS
   */
  async open(sealed: string, context: SealContext): Promise<string> {
    const { keyId, nonce, body } = parse(sealed);
    const decipher = createDecipheriv(ALGORITHM, await this.keyOf(keyId), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(keyId, context));
    decipher.setAuthTag(body.subarray(-TAG_BYTES));
    try {
      return decipher.update(body.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new EncryptionError(`${context.table}.${context.column}: a sealed value does not open`, { cause });
    }
  }

  private keyOf(id: string): Promise<Buffer> {
    const key = this.keys.get(id);
    if (key) return Promise.resolve(key);
    return Promise.reject(new EncryptionError(`ENCRYPTION_KEYS has no key ${JSON.stringify(id)}, which a sealed value needs`));
  }
}

function parse(sealed: string): { keyId: string; nonce: Buffer; body: Buffer } {
  const [version, keyId, nonceText, bodyText, ...rest] = sealed.split('.');
  const nonce = Buffer.from(nonceText ?? '', 'base64url');
  const body = Buffer.from(bodyText ?? '', 'base64url');
  const fits = version === VERSION && keyId && nonce.length === NONCE_BYTES && body.length >= TAG_BYTES;
  if (!fits || rest.length > 0) throw new EncryptionError('not a sealed value of a known version');
  return { keyId, nonce, body };
}

/** A JSON array cannot be read two ways, as joined strings can. */
function associatedData(keyId: string, { table, column, userId, sealKey }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, table, column, userId, sealKey]));
}
