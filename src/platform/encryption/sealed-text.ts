import type { Box } from './aes-gcm';
import { EncryptionError } from './encryption-error';

/** Text form of what is encrypted: `<version>.<key id>.<nonce>.<ciphertext and tag>`, the last two base64url. */
export interface SealedText extends Box {
  readonly keyId: string;
}

/** Writes a box as text that names its version and its key. */
export function writeSealed(version: string, { keyId, nonce, body }: SealedText): string {
  return [version, keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
}

/** Reads such a text. @throws EncryptionError for another version, or what is no such text */
export function readSealed(version: string, text: string): SealedText {
  const [found, keyId, nonceText, bodyText, ...rest] = text.split('.');
  if (found !== version || !keyId || !nonceText || !bodyText || rest.length > 0) throw unknownForm();
  const nonce = Buffer.from(nonceText, 'base64url');
  const body = Buffer.from(bodyText, 'base64url');
  // Node skips what is not of the alphabet; a text has one form only.
  if (nonce.toString('base64url') !== nonceText || body.toString('base64url') !== bodyText) throw unknownForm();
  return { keyId, nonce, body };
}

function unknownForm(): EncryptionError {
  return new EncryptionError('not a sealed value of a known version');
}
