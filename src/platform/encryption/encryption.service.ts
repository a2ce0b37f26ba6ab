import { Injectable } from '@nestjs/common';
import { decrypt, encrypt, type EncryptionContext, EncryptionError, readSealed, writeSealed } from './ciphertext';
import { DataKeys, type DataKey } from './data-keys';

const VERSION = 'v1';

/**
 * Seals secrets at rest: AES-256-GCM under the data key of the user they belong to, bound to the place they live in. A
 * sealed value is text, `v1.<data key id>.<nonce>.<ciphertext and tag>`: it names its own version and key, so that keys
 * and formats can change while old values still open.
 * @see NIST SP 800-38D; README.md beside this file
 */
@Injectable()
export class EncryptionService {
  constructor(private readonly dataKeys: DataKeys) {}

  /**
   * Returns the sealed form of a text. Session: none; at a user's first secret his data key is made, in a transaction of
   * its own, so seal before a unit that holds his row of users.
   * @param context where the value will live; the same is needed to open it
   */
  async seal(plaintext: string, context: EncryptionContext): Promise<string> {
    const { keyId, key } = await this.dataKeys.ofUser(context.userId);
    return writeSealed(VERSION, { keyId, ...encrypt(key, Buffer.from(plaintext), associatedData(keyId, context)) });
  }

  /**
   * Returns the text that was sealed in the same context. Session: none.
   * @throws EncryptionError when the value was altered or moved, or its key was destroyed
   */
  open(sealed: string, context: EncryptionContext): Promise<string> {
    return openSealed(sealed, context, (keyId) => this.dataKeys.byId(keyId));
  }

  /**
   * Destroys the data key of a user: nothing sealed for him opens again, here at once and everywhere within a second,
   * copies in tables, logs and dumps without their keys included. Session: none. False when he had no key.
   */
  erase(userId: number): Promise<boolean> {
    return this.dataKeys.destroy(userId);
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * As `EncryptionService.open`, with data keys from elsewhere: those of a restored copy of the database.
 * @throws EncryptionError when the value was altered or moved, or what `keyOf` throws
 */
export async function openSealed(
  sealed: string,
  context: EncryptionContext,
  keyOf: (keyId: string) => Promise<DataKey>,
): Promise<string> {
  const { keyId, ...box } = readSealed(VERSION, sealed);
  if (!UUID.test(keyId)) throw new EncryptionError('not a sealed value of a known version');
  const { userId, key } = await keyOf(keyId);
  const where = `${context.table}.${context.column}`;
  if (userId !== context.userId) throw new EncryptionError(`${where}: sealed for another user`);
  try {
    return decrypt(key, box, associatedData(keyId, context)).toString('utf8');
  } catch (cause) {
    throw new EncryptionError(`${where}: a sealed value does not open`, { cause });
  }
}

/** A JSON array cannot be read two ways, as joined strings can. */
function associatedData(keyId: string, { table, column, userId, sealKey }: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, table, column, userId, sealKey]));
}
