import { ContextSigner } from '../../src/platform/database/context-signer';

/** Stay real with a frozen date and with held timeouts. */
const REAL = [
  'cancelAnimationFrame',
  'cancelIdleCallback',
  'clearImmediate',
  'clearInterval',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'requestAnimationFrame',
  'requestIdleCallback',
  'setImmediate',
  'setInterval',
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
 * clocks of PostgreSQL and Redis continue, and so does the clock of signed contexts, which PostgreSQL checks.
 */
export function freezeDate(now = Date.now()): FrozenDate {
  jest.spyOn(ContextSigner.prototype, 'now').mockImplementation(() => performance.timeOrigin + performance.now());
  jest.useFakeTimers({ now, doNotFake: [...REAL, 'clearTimeout', 'setTimeout'] });
  return { advance: (milliseconds) => void jest.setSystemTime(Date.now() + milliseconds) };
}

/** The timeouts of this process that began since they are held. */
export interface HeldTimeouts {
  /** Lets this time pass for them: those that it reaches expire. */
  advance(milliseconds: number): void;
}

/**
 * Holds setTimeout in this process, which also runs the tested application, until jest.useRealTimers(). A timeout then
 * expires at an event of the test, on a fast and on a slow machine. Earlier timeouts and the waits of
 * node:timers/promises continue.
 */
export function holdTimeouts(): HeldTimeouts {
  jest.useFakeTimers({ doNotFake: [...REAL, 'Date'] });
  return { advance: (milliseconds) => void jest.advanceTimersByTime(milliseconds) };
}
