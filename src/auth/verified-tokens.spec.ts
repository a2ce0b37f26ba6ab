import { VerifiedTokens } from './verified-tokens';

const subject = { userId: 7, sessionId: 's' };

describe(VerifiedTokens.name, () => {
  it('remembers a token until the second in which it expires', () => {
    let now = 1_000_000;
    const tokens = new VerifiedTokens(() => now);
    tokens.keep('token', subject, 1_010);

    expect(tokens.recall('token')).toBe(subject);
    expect(tokens.recall('tokem')).toBeUndefined();
    now = 1_009_999;
    expect(tokens.recall('token')).toBe(subject);
    now = 1_010_000;
    expect(tokens.recall('token')).toBeUndefined();
  });

  it('holds ten thousand, and forgets the oldest first', () => {
    const tokens = new VerifiedTokens(() => 0);
    for (let i = 0; i <= 10_000; i++) tokens.keep(`token ${i}`, subject, 1);

    expect(tokens.recall('token 0')).toBeUndefined();
    expect(tokens.recall('token 1')).toBe(subject);
    expect(tokens.recall('token 10000')).toBe(subject);
  });
});
