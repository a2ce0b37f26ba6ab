import { matchTotp, generateTotpSecret, buildOtpauthUrl, computeTotp } from './totp';

/** RFC 6238 appendix B: '12345678901234567890' in base32. Its codes have 8 digits; the tests use the last 6. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('totp', () => {
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('matches the code of RFC 6238 at %d s', (seconds, code) => {
    expect(matchTotp(RFC_SECRET, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  it('accepts the code of the step before and after, and returns the step', () => {
    const now = 1_700_000_010_000;
    const step = Math.floor(now / 30_000);

    expect([-2, -1, 0, 1, 2].map((delta) => matchTotp(RFC_SECRET, computeTotp(RFC_SECRET, step + delta), now))).toEqual(
      [null, step - 1, step, step + 1, null],
    );
  });

  it.each([['', undefined, null, 'short', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1', 42]])(
    'rejects the secret %j',
    (secret) => {
      expect(() => matchTotp(secret, '328482')).toThrow('not a TOTP secret');
    },
  );

  it.each([[287082], [['287082']], ['28708'], ['287082 '], ['０８１８０４'], [''], [null]])(
    'rejects the code %j',
    (code) => {
      expect(matchTotp(RFC_SECRET, code as string, 59_000)).toBeNull();
    },
  );

  it('generates secrets of 160 bits with evenly distributed letters', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 500; i++) {
      const secret = generateTotpSecret();
      expect(secret).toMatch(/^[A-Z2-7]{32}$/);
      for (const letter of secret) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }

    expect(counts.size).toBe(32);
    expect(Math.min(...counts.values()) / Math.max(...counts.values())).toBeGreaterThan(0.6);
  });

  it('escapes the account and keeps the issuer in the URL', () => {
    expect(buildOtpauthUrl(RFC_SECRET, 'a b@x.io')).toBe(
      `otpauth://totp/Gigvault:a%20b%40x.io?secret=${RFC_SECRET}&issuer=Gigvault&algorithm=SHA1&digits=6&period=30`,
    );
  });
});
