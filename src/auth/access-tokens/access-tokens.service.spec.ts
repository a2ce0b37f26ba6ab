import { buildTestConfig } from '../../../test/support/test-config';
import { AccessTokenCache, AccessTokensService } from './access-tokens.service';

describe(AccessTokensService.name, () => {
  const subject = { userId: 7, sessionId: 'a-session' };
  const signer = new AccessTokensService(buildTestConfig());
  /** Creates a service with the same keys and an empty cache, like another process. */
  const createReader = () => new AccessTokensService(buildTestConfig());

  afterEach(() => jest.useRealTimers());

  it.each([
    ['accepts', 29, subject],
    ['refuses', 32, null],
  ])('%s a token of a process whose clock is %i s ahead', (_, seconds, expected) => {
    const now = Date.now();
    jest.useFakeTimers({ now: now + seconds * 1_000, doNotFake: ['nextTick', 'setImmediate'] });
    const token = signer.sign('access', subject);
    jest.setSystemTime(now);

    expect(createReader().verify('access', token)).toEqual(expected);
  });
});

const subject = { userId: 7, sessionId: 's' };

describe(AccessTokenCache.name, () => {
  it('returns a token until the second in which it expires', () => {
    let now = 1_000_000;
    const tokens = new AccessTokenCache(() => now);
    tokens.set('token', subject, 1_010);

    expect(tokens.get('token')).toBe(subject);
    expect(tokens.get('tokem')).toBeUndefined();
    now = 1_009_999;
    expect(tokens.get('token')).toBe(subject);
    now = 1_010_000;
    expect(tokens.get('token')).toBeUndefined();
  });

  it('keeps 10,000 tokens and evicts the oldest first', () => {
    const tokens = new AccessTokenCache(() => 0);
    for (let i = 0; i <= 10_000; i++) tokens.set(`token ${i}`, subject, 1);

    expect(tokens.get('token 0')).toBeUndefined();
    expect(tokens.get('token 1')).toBe(subject);
    expect(tokens.get('token 10000')).toBe(subject);
  });
});
