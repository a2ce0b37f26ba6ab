import { parseRetryAfter } from './header-values';

describe(parseRetryAfter.name, () => {
  afterEach(() => jest.useRealTimers());

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Sun, 29 Nov 2026 12:01:30 GMT', 90_000],
    ['99999999999999999999999', 3_600_000],
    ['Sun, 29 Nov 2099 12:00:00 GMT', 3_600_000],
    ['9'.repeat(400), undefined],
    ['Sun, 29 Nov 2020 12:00:00 GMT', undefined],
    ['-5', undefined],
    ['1.5 s', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %p as %p', (value, expected) => {
    jest.useFakeTimers({ now: Date.parse('2026-11-29T12:00:00Z') });

    expect(parseRetryAfter(value, 3_600_000)).toBe(expected);
  });
});
