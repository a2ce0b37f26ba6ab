/** Everything but Date stays real. */
const REAL = [
  'cancelAnimationFrame',
  'cancelIdleCallback',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'requestAnimationFrame',
  'requestIdleCallback',
  'setImmediate',
  'setInterval',
  'setTimeout',
] as const;

/**
 * Runs a test's work again when a day (UTC) ended during it, because rows of "now" and current_date must be of one day.
 * The work creates its own data.
 */
export async function runWithinOneDay(work: () => Promise<void>): Promise<void> {
  const readDay = () => new Date().toISOString().slice(0, 10);
  for (;;) {
    const day = readDay();
    try {
      return await work();
    } catch (error) {
      if (readDay() === day) throw error;
    }
  }
}

/** A date of this process that only the test changes. */
export interface FrozenDate {
  /** Moves the date forward. */
  advance(milliseconds: number): void;
}

/**
 * Freezes Date in this process, which also runs the tested application, until jest.useRealTimers(). Timers and the
 * clocks of PostgreSQL and Redis continue.
 */
export function freezeDate(now = Date.now()): FrozenDate {
  jest.useFakeTimers({ now, doNotFake: [...REAL] });
  return { advance: (milliseconds) => void jest.setSystemTime(Date.now() + milliseconds) };
}
