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
