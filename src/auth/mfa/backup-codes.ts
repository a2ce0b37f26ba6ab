import { createHmac, randomInt } from 'node:crypto';

const COUNT = 10;
const GROUPS = 4;
const GROUP_LENGTH = 6;

/** Without letters that look like others or like digits; 24 of them are 118 bits. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';

/** Makes ten codes to be shown once: `ABCDEF-GHJKMN-PQRSTV-WXYZ23`. */
export function newBackupCodes(): string[] {
  return Array.from({ length: COUNT }, () =>
    Array.from({ length: GROUPS }, () =>
      Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    ).join('-'),
  );
}

/**
 * The stored form of a code, which one statement can find and remove. A keyed hash is enough: 118 random bits cannot be
 * tried out, and a salted slow one could not be matched in SQL.
 * @param userId so that equal codes of two users would differ
 */
export function hashBackupCode(key: Buffer, userId: number, code: string): string {
  const letters = code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return createHmac('sha256', key).update(`${userId}:${letters}`).digest('base64url');
}
