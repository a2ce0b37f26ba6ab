import { createHmac } from 'node:crypto';

/** The one spelling of an address: Unicode NFC in small letters, as the unique index on users compares it. */
export function normalEmail(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

/** A keyed hash of an address, for logs and look-ups where the address itself must not stand. */
export function emailHash(key: Buffer, email: string): Buffer {
  return createHmac('sha256', key).update(normalEmail(email)).digest();
}
