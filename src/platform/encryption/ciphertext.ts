import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;

/** Always passed: Node accepts a four-byte tag when no length is given. */
const TAG_BYTES = 16;

/** A random nonce, and the ciphertext followed by its tag. */
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

/** Decrypts bytes. @throws Error when key, nonce, body or `associated` differ from those of the encryption */
export function decrypt(key: Buffer, { nonce, body }: Ciphertext, associated: Buffer): Buffer {
  if (nonce.length !== NONCE_BYTES || body.length < TAG_BYTES) throw new Error('not an AES-256-GCM ciphertext');
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
}

/** A sealed value cannot be decrypted: altered, moved, or its key is missing. Never contains the value. */
export class EncryptionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = EncryptionError.name;
  }
}

/** The parts of a sealed text: `<version>.<key id>.<nonce>.<ciphertext and tag>`, the last two base64url. */
export interface SealedText extends Ciphertext {
  readonly keyId: string;
}

/** Formats a ciphertext as text with its version and key id. */
export function writeSealed(version: string, { keyId, nonce, body }: SealedText): string {
  return [version, keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
}

/** Parses a sealed text. @throws EncryptionError for another version or format */
export function readSealed(version: string, text: string): SealedText {
  const [found, keyId, nonceText, bodyText, ...rest] = text.split('.');
  if (found !== version || !keyId || !nonceText || !bodyText || rest.length > 0) throw unknownFormat();
  const nonce = Buffer.from(nonceText, 'base64url');
  const body = Buffer.from(bodyText, 'base64url');
  // Node ignores characters outside the alphabet; only the canonical text is accepted.
  if (nonce.toString('base64url') !== nonceText || body.toString('base64url') !== bodyText) throw unknownFormat();
  return { keyId, nonce, body };
}

function unknownFormat(): EncryptionError {
  return new EncryptionError('not a sealed value of a known version');
}

/**
 * The location of a sealed value. It is authenticated with the ciphertext: a value copied to another table, column,
 * user or row cannot be decrypted.
 */
export interface EncryptionContext {
  readonly table: string;
  readonly column: string;
  /** The tenant of the value; null for values without a user. */
  readonly userId: number | null;
  /** A uuid created before the insert and stored beside the value; the row's id is not known yet. */
  readonly sealKey: string;
}
