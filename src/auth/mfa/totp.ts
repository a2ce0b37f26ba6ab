import { randomBytes, timingSafeEqual } from 'node:crypto';
import speakeasy from 'speakeasy';

const ENCODING = 'base32';
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_SECONDS = 30;
const DIGITS = 6;

/** 160 bits, the length of the MAC. @see RFC 4226 section 4 */
const SECRET_BYTES = 20;
const SECRET_PATTERN = /^[A-Z2-7]{32}$/;
const CODE_PATTERN = /^\d{6}$/;

/** Steps before and after now that count too: clocks differ, people type slowly. @see RFC 6238 section 5.2 */
const STEP_WINDOW = 1;

/**
 * Makes a secret for an authenticator, in base32. Not speakeasy's own generator, whose letters are biased (127 of 160
 * bits).
 */
export function generateTotpSecret(): string {
  const bits = [...randomBytes(SECRET_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[parseInt(five, 2)]).join('');
}

/** The URL an authenticator reads from a QR code. @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
export function buildOtpauthUrl(secret: string, account: string): string {
  const label = `${encodeURIComponent('Gigvault')}:${encodeURIComponent(account)}`;
  const query = new URLSearchParams({ secret, issuer: 'Gigvault', algorithm: 'SHA1', digits: '6', period: '30' });
  return `otpauth://totp/${label}?${query}`;
}

/**
 * The time step a code is right for, or null. The caller must accept each step once, later ones only.
 * @param now milliseconds since 1970
 * @throws Error for a secret that is not one of ours: speakeasy takes an empty one, whose codes anybody can compute
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

/** The code of a time step. */
export function computeTotp(secret: string, step: number): string {
  return speakeasy.hotp({ secret, encoding: ENCODING, counter: step, digits: DIGITS, algorithm: 'sha1' });
}
