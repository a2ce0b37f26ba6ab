import { Injectable } from '@nestjs/common';
import { decrypt, encrypt, type EncryptionContext, EncryptionError, readSealed, writeSealed } from './ciphertext';
import { DataKeys, type DataKey } from './data-keys';

const VERSION = 'v1';

/**
 * Encrypts secrets at rest by AES-256-GCM with the data key of their user, bound to their table, column and row. A
 * sealed value is the text `v1.<data key id>.<nonce>.<ciphertext and tag>`. It contains its version and key id, so old
 * values stay readable when keys and formats change.
 * @see NIST SP 800-38D; README.md beside this file
 */
@Injectable()
export class EncryptionService {
  constructor(private readonly dataKeys: DataKeys) {}

  /**
   * Encrypts a text. Needs no session. A user's first secret creates their data key in a separate transaction, so call
   * this before a unit that locks the user's row.
   * @param context the location of the value; decryption needs the same
   */
  async seal(plaintext: string, context: EncryptionContext): Promise<string> {
    const { keyId, key } = await this.dataKeys.ofUser(context.userId);
    return writeSealed(VERSION, { keyId, ...encrypt(key, Buffer.from(plaintext), associatedData(keyId, context)) });
  }

  /** Loads or creates the data key of a user, so that `seal` does not wait for it. @throws KeyServiceUnavailable */
  async prepare(userId: number): Promise<void> {
    await this.dataKeys.ofUser(userId);
  }

  /**
   * Decrypts a text that was sealed in the same context. Needs no session.
   * @throws EncryptionError when the value was altered or moved, or its key was destroyed
   */
  open(sealed: string, context: EncryptionContext): Promise<string> {
    return openSealed(sealed, context, (keyId) => this.dataKeys.byId(keyId));
  }

  /**
   * Destroys the data key of a user. Nothing encrypted for them can be decrypted again, at once here and within a
   * second everywhere, also not in copies of tables, logs and dumps. Needs no session. False when there was no key.
   */
  erase(userId: number): Promise<boolean> {
    return this.dataKeys.destroy(userId);
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Decrypts like `EncryptionService.open`, with other data keys, such as those of a restored copy of the database.
 * @throws EncryptionError when the value was altered or moved, or what `keyOf` throws
 */
export async function openSealed(
  sealed: string,
  context: EncryptionContext,
  keyOf: (keyId: string) => Promise<DataKey>,
): Promise<string> {
  const { keyId, ...ciphertext } = readSealed(VERSION, sealed);
  if (!UUID.test(keyId)) throw new EncryptionError('not a sealed value of a known version');
  const { userId, key } = await keyOf(keyId);
  const where = `${context.table}.${context.column}`;
  if (userId !== context.userId) throw new EncryptionError(`${where}: sealed for another user`);
  try {
    return decrypt(key, ciphertext, associatedData(keyId, context)).toString('utf8');
  } catch (cause) {
    throw new EncryptionError(`${where}: a sealed value does not open`, { cause });
  }
}

/** Builds the authenticated data as a JSON array, which is unambiguous, unlike joined strings. */
function associatedData(keyId: string, { table, column, userId, sealKey }: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, table, column, userId, sealKey]));
}
