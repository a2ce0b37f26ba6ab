import { aConfig } from '../../test/support/config';
import { AccessTokens } from './access-tokens.service';

describe(AccessTokens.name, () => {
  const subject = { userId: 7, sessionId: 'a-session' };
  const signer = new AccessTokens(aConfig());
  /** Another process with the same keys, which has verified no token before. */
  const reader = () => new AccessTokens(aConfig());

  afterEach(() => jest.useRealTimers());

  it.each([
    ['accepts', 29, subject],
    ['refuses', 32, null],
  ])('%s a token of a process whose clock is %i s ahead', (_, seconds, expected) => {
    const now = Date.now();
    jest.useFakeTimers({ now: now + seconds * 1_000, doNotFake: ['nextTick', 'setImmediate'] });
    const token = signer.sign('access', subject);
    jest.setSystemTime(now);

    expect(reader().read('access', token)).toEqual(expected);
  });
});
