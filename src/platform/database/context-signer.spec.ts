import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { ContextSigner, deriveContextKeyPads } from './context-signer';

const ROOT = Buffer.alloc(32, 7);
const KEY = Buffer.from(hkdfSync('sha256', ROOT, '', 'gigvault/context/gigvault_app', 32));
const signer = new ContextSigner(ROOT, 'gigvault_app');

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

describe('ContextSigner', () => {
  it('signs the second and the fields with HMAC-SHA-256', () => {
    const signed = signer.sign(['7', 'user', 'ü'], 1_700_000_000_900);

    expect(signed.slice(64)).toBe('1700000000\x1f7\x1fuser\x1fü');
    expect(signed.slice(0, 64)).toBe(createHmac('sha256', KEY).update(signed.slice(64)).digest('hex'));
  });

  it('keeps a value with a separator inside its field', () => {
    expect(signer.sign(['7\x1f8', 'user'], 0).slice(64)).toBe('0\x1f7 8\x1fuser');
  });

  it('signs differently for another login', () => {
    expect(new ContextSigner(ROOT, 'gigvault_auth').sign(['7'], 0)).not.toBe(signer.sign(['7'], 0));
  });

  it('reuses a signature for the same fields only', () => {
    const signed = signer.signReusable(['7', 'user']);

    expect(signer.signReusable(['7', 'user'])).toBe(signed);
    expect(signer.signReusable(['8', 'user']).slice(0, 64)).not.toBe(signed.slice(0, 64));
  });
});

describe('deriveContextKeyPads', () => {
  it('returns what computes the HMAC by two hashes', () => {
    const { inner, outer } = deriveContextKeyPads(ROOT, 'gigvault_app');
    const body = Buffer.from('a body');

    expect([inner.length, outer.length]).toEqual([64, 64]);
    expect(sha256(outer, sha256(inner, body))).toEqual(createHmac('sha256', KEY).update(body).digest());
  });
});
