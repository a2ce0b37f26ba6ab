import { randomBytes, timingSafeEqual } from 'node:crypto';
import speakeasy from 'speakeasy';

const ENCODING = 'base32';
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_SECONDS = 30;
const DIGITS = 6;

/** Length of a secret: 160 bits, as the MAC. @see RFC 4226 section 4 */
const SECRET_BYTES = 20;
const SECRET_PATTERN = /^[A-Z2-7]{32}$/;
const CODE_PATTERN = /^\d{6}$/;

/** Accepted steps before and after the current one: clocks differ, people type slowly. @see RFC 6238 section 5.2 */
const STEP_WINDOW = 1;

/**
 * Generates a secret for an authenticator, in base32. Does not use speakeasy's generator, whose letters are biased (127
 * of 160 bits).
 */
export function generateTotpSecret(): string {
  const bits = [...randomBytes(SECRET_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[parseInt(five, 2)]).join('');
}

/** Builds the URL of the QR code. @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
export function buildOtpauthUrl(secret: string, account: string): string {
  const label = `${encodeURIComponent('Gigvault')}:${encodeURIComponent(account)}`;
  const query = new URLSearchParams({ secret, issuer: 'Gigvault', algorithm: 'SHA1', digits: '6', period: '30' });
  return `otpauth://totp/${label}?${query}`;
}

/**
 * Returns the time step of a code, or null. The caller must accept each step once, and only later steps after it.
 * @param now milliseconds since 1970
 * @throws Error for a malformed secret: speakeasy accepts an empty one, whose codes anybody can compute
 */
export function matchTotp(secret: string, code: string, now = Date.now()): number | null {
  if (typeof secret !== 'string' || !SECRET_PATTERN.test(secret)) throw new Error('not a TOTP secret');
  if (typeof code !== 'string' || !CODE_PATTERN.test(code)) return null;
  const current = Math.floor(now / 1000 / STEP_SECONDS);
  const given = Buffer.from(code);
  let matched: number | null = null;
  for (let step = current - STEP_WINDOW; step <= current + STEP_WINDOW; step++) {
    if (timingSafeEqual(given, Buffer.from(computeTotp(secret, step)))) matched = step;
  }
  return matched;
}

/** Computes the code of a time step. */
export function computeTotp(secret: string, step: number): string {
  return speakeasy.hotp({ secret, encoding: ENCODING, counter: step, digits: DIGITS, algorithm: 'sha1' });
}
