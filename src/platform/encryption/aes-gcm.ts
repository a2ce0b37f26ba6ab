import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;

/** Always given: node accepts a four-byte tag where the length is left open. */
const TAG_BYTES = 16;

/** What encryption makes of a text: a random nonce, and the ciphertext with its tag behind it. */
export interface Box {
  readonly nonce: Buffer;
  readonly body: Buffer;
}

/** Encrypts bytes with a 32-byte key, bound to `associated`. @see NIST SP 800-38D */
export function encrypt(key: Buffer, plain: Buffer, associated: Buffer): Box {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated);
  return { nonce, body: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

/** Returns the bytes that were encrypted. @throws Error when key, nonce, body or `associated` are not those of then */
export function decrypt(key: Buffer, { nonce, body }: Box, associated: Buffer): Buffer {
  if (nonce.length !== NONCE_BYTES || body.length < TAG_BYTES) throw new Error('not a box of AES-256-GCM');
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
}
