import { dayRange } from './analytics.service';

const NOW = Date.UTC(2026, 2, 1, 13);

describe(dayRange.name, () => {
  it('returns the last days by default', () => {
    expect(dayRange({}, 30, NOW)).toEqual({ from: '2026-01-31', to: '2026-03-01' });
    expect(dayRange({ to: '2026-02-10' }, 3, NOW)).toEqual({ from: '2026-02-08', to: '2026-02-10' });
    expect(dayRange({ from: '2026-03-01' }, 3, NOW)).toEqual({ from: '2026-03-01', to: '2026-03-01' });
  });

  it.each([
    [{ from: '2026-02-02', to: '2026-02-01' }, /must not be after/],
    [{ from: '2024-01-01', to: '2026-02-01' }, /at most 400 days/],
  ])('refuses %j', (range, message) => {
    expect(() => dayRange(range, 30, NOW)).toThrow(
      expect.objectContaining({ code: 'validation.failed', message: expect.stringMatching(message) }),
    );
  });
});
