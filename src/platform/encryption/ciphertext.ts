import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;

/** Always given: node accepts a four-byte tag where the length is left open. */
const TAG_BYTES = 16;

/** What encryption makes of a text: a random nonce, and the ciphertext with its tag behind it. */
export interface Ciphertext {
  readonly nonce: Buffer;
  readonly body: Buffer;
}

/** Encrypts bytes with a 32-byte key, bound to `associated`. @see NIST SP 800-38D */
export function encrypt(key: Buffer, plain: Buffer, associated: Buffer): Ciphertext {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated);
  return { nonce, body: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

/** Returns the bytes that were encrypted. @throws Error when key, nonce, body or `associated` are not those of then */
export function decrypt(key: Buffer, { nonce, body }: Ciphertext, associated: Buffer): Buffer {
  if (nonce.length !== NONCE_BYTES || body.length < TAG_BYTES) throw new Error('not a box of AES-256-GCM');
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
}

/** A sealed value did not open: altered, moved, or its key is not configured. Never says anything of the value. */
export class EncryptionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = EncryptionError.name;
  }
}

/** Text form of what is encrypted: `<version>.<key id>.<nonce>.<ciphertext and tag>`, the last two base64url. */
export interface SealedText extends Ciphertext {
  readonly keyId: string;
}

/** Writes a box as text that names its version and its key. */
export function writeSealed(version: string, { keyId, nonce, body }: SealedText): string {
  return [version, keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
}

/** Reads such a text. @throws EncryptionError for another version, or what is no such text */
export function readSealed(version: string, text: string): SealedText {
  const [found, keyId, nonceText, bodyText, ...rest] = text.split('.');
  if (found !== version || !keyId || !nonceText || !bodyText || rest.length > 0) throw unknownFormat();
  const nonce = Buffer.from(nonceText, 'base64url');
  const body = Buffer.from(bodyText, 'base64url');
  // Node skips what is not of the alphabet; a text has one form only.
  if (nonce.toString('base64url') !== nonceText || body.toString('base64url') !== bodyText) throw unknownFormat();
  return { keyId, nonce, body };
}

function unknownFormat(): EncryptionError {
  return new EncryptionError('not a sealed value of a known version');
}

/**
 * Where a sealed value lives. All of it is authenticated with the ciphertext, so that a value copied to another table,
 * column, user or row does not open.
 */
export interface EncryptionContext {
  readonly table: string;
  readonly column: string;
  /** The tenant the value belongs to, null for values of nobody. */
  readonly userId: number | null;
  /** A uuid the application makes before it writes the row and stores beside the value: the row's id is not known yet. */
  readonly sealKey: string;
}
