import { hash, hkdfSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Separates the fields of a context. It occurs in no field, so two contexts never have the same text. */
const SEPARATOR = '\x1f';
const BLOCK_BYTES = 64;

/**
 * Reuse of a signature. PostgreSQL accepts it for 30 seconds. Reuse and the whole seconds of its time take up to 6, and
 * the clocks may differ by 20 (context-check.ts), so at least 4 seconds remain for a waiting statement.
 */
const REUSE_MS = 5_000;
const MAX_REUSED = 10_000;

/** The key XOR ipad and XOR opad (RFC 2104), from which SQL computes HMAC-SHA-256 by two calls of sha256(). */
export interface ContextKeyPads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** Derives the pads of a login's key. The login in `info` makes the keys of logins independent (RFC 5869). */
export function deriveContextKeyPads(root: Buffer, login: string): ContextKeyPads {
  const key = Buffer.from(hkdfSync('sha256', root, '', `gigvault/context/${login}`, 32));
  const padded = Buffer.concat([key], BLOCK_BYTES);
  return { inner: xor(padded, 0x36), outer: xor(padded, 0x5c) };
}

/**
 * Signs the contexts of one login. A context is 64 hexadecimal digits of HMAC-SHA-256, the second of the signature, and
 * the fields in the order of the views auth.context and audit.actor.
 */
export class ContextSigner {
  private readonly pads: ContextKeyPads;
  private readonly reused = new LRUCache<string, string>({ max: MAX_REUSED, ttl: REUSE_MS });

  constructor(root: Buffer, login: string) {
    this.pads = deriveContextKeyPads(root, login);
  }

  /** Returns the time for a signature. */
  now(): number {
    return Date.now();
  }

  /** @param signedAtMs the time of the signature; PostgreSQL compares it with the start of the transaction */
  sign(fields: readonly string[], signedAtMs = this.now()): string {
    return this.signText(join(fields), signedAtMs);
  }

  /** Signs like `sign`, but reuses the signature of the same fields for five seconds: hashing costs a read 5 %. */
  signReusable(fields: readonly string[]): string {
    const text = join(fields);
    const known = this.reused.get(text);
    if (known !== undefined) return known;
    const signed = this.signText(text, this.now());
    this.reused.set(text, signed);
    return signed;
  }

  private signText(text: string, signedAtMs: number): string {
    const body = `${Math.floor(signedAtMs / 1_000)}${SEPARATOR}${text}`;
    const inner = hash('sha256', Buffer.concat([this.pads.inner, Buffer.from(body)]), 'buffer');
    return hash('sha256', Buffer.concat([this.pads.outer, inner]), 'hex') + body;
  }
}

function join(fields: readonly string[]): string {
  return fields.map((field) => (field.includes(SEPARATOR) ? field.replaceAll(SEPARATOR, ' ') : field)).join(SEPARATOR);
}

function xor(bytes: Buffer, mask: number): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ mask));
}
