import { setTimeout as sleep } from 'node:timers/promises';

/** The limit is for a broken product only: the verdict of a test does not depend on how soon something happens. */
const TIMEOUT_MS = 25_000;

const POLL_INTERVAL_MS = 10;

/**
 * Asks again and again until the answer is truthy, and returns that answer.
 * @throws Error with the name of what did not happen
 */
export async function waitFor<T>(what: string, ask: () => T | Promise<T>): Promise<T> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`did not happen within ${TIMEOUT_MS} ms: ${what}`);
    await sleep(POLL_INTERVAL_MS);
  }
}
