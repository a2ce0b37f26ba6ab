import { setTimeout as sleep } from 'node:timers/promises';
import type { TimerOptions } from 'node:timers';

/** The limit only ends a broken product's wait: no test's result depends on how fast something happens. */
const TIMEOUT_MS = 240_000;

const POLL_INTERVAL_MS = 10;

/**
 * Polls until the result is truthy, and returns that result.
 * @throws Error with the name of what did not happen
 */
export async function waitFor<T>(what: string, ask: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`did not happen within ${TIMEOUT_MS} ms: ${what}`);
    await sleep(POLL_INTERVAL_MS);
  }
}

/**
 * Waits for a fixed time. Lint forbids every other timer in tests: wait for an event, or use `waitFor`.
 * @param reason why no event ends this wait
 */
export async function pause(ms: number, reason: string, options?: TimerOptions): Promise<void> {
  if (reason === '') throw new Error('A pause needs a reason.');
  await sleep(ms, undefined, options);
}
