import { computePollingLimit, stretchInterval } from './call-budget';

const DAY = 86_400;

/** Calls of a run of each kind at rest, for a connection with five saved searches, and the default intervals. */
const KINDS = [
  { seconds: 1_800, calls: 5 },
  { seconds: 3_600, calls: 8 },
  { seconds: 480, calls: 1 },
];

/** Runs one day of polling by a clock of its own. Returns the calls of polling in each hour. */
function simulateDay(perDay: number, connections: number, usersCallsPerHour = 0): number[] {
  const callsPerHour: number[] = Array.from({ length: 24 }, () => 0);
  const due = KINDS.map(({ seconds }, kind) =>
    Array.from({ length: connections }, (_, n) => (n * 37 * (kind + 1)) % seconds),
  );
  let used = 0;
  for (let second = 0; second < DAY; second += 1) {
    if (second % 3_600 === 0) used += usersCallsPerHour;
    for (const [kind, times] of due.entries()) {
      const { seconds, calls } = KINDS[kind]!;
      for (const [n, at] of times.entries()) {
        if (at > second) continue;
        const granted = Math.max(0, Math.min(calls, computePollingLimit(perDay) - used));
        used += granted;
        callsPerHour[Math.floor(second / 3_600)]! += granted;
        times[n] = second + stretchInterval(seconds, { perDay, used, secondsUntilReset: DAY - second });
      }
    }
  }
  return callsPerHour;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe(stretchInterval.name, () => {
  const at = (used: number, hoursLeft: number) => ({ perDay: 1_000, used, secondsUntilReset: hoursLeft * 3_600 });

  it.each([
    ['keeps the interval while enough calls are left', 450, 12, 600],
    ['stretches it when less than half of the calls is left at noon', 500, 12, 600 * 1.125 ** 4],
    ['waits for the next day when only the reserve is left', 900, 6, 21_600],
    ['waits for the next day when the reserve is used too', 1_000, 6, 21_600],
    ['shortens no interval at the end of a day', 900, 0.01, 600],
  ])('%s', (_, used, hoursLeft, expected) => {
    expect(stretchInterval(600, at(used, hoursLeft))).toBeCloseTo(expected);
  });

  it('leaves a connection at rest its default intervals, at most 700 calls a day', () => {
    const calls = sum(simulateDay(40_000, 1));

    expect(calls).toBe(48 * 5 + 24 * 8 + 180);
    expect(calls).toBeLessThanOrEqual(700);
  });

  it('spreads the calls over the whole day when there are too many connections', () => {
    const perHour = simulateDay(4_000, 20);

    expect(sum(perHour)).toBeLessThanOrEqual(3_600);
    expect(sum(perHour)).toBeGreaterThan(3_500);
    expect(Math.min(...perHour.slice(0, 23))).toBeGreaterThan(0);
  });

  it('slows down when users make many calls, and leaves them their reserve', () => {
    const quiet = simulateDay(4_000, 5);
    const busy = simulateDay(4_000, 5, 100);
    const crowded = simulateDay(4_000, 50, 16);

    expect(sum(busy)).toBeLessThan(sum(quiet));
    expect(Math.min(...busy.slice(0, 22))).toBeGreaterThan(0);
    expect(sum(crowded) + 24 * 16).toBeLessThanOrEqual(4_000);
  });
});
