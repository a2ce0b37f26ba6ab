/** What jest must leave real: everything but Date. */
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

/** A date of this process that moves only when the test moves it. */
export interface FrozenDate {
  /** Moves the date forward. */
  advance(milliseconds: number): void;
}

/**
 * Stops Date in this process, where the application of the test runs too, until jest.useRealTimers(); timers run on, and so
 * do the clocks of PostgreSQL and Redis.
 */
export function freezeDate(now = Date.now()): FrozenDate {
  jest.useFakeTimers({ now, doNotFake: [...REAL] });
  return { advance: (milliseconds) => void jest.setSystemTime(Date.now() + milliseconds) };
}
