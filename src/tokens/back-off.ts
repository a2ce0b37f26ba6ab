const FIRST_SECONDS = 30;
const MAX_SECONDS = 600;

/**
 * Returns how long to wait after another failure, in seconds: 30, 60, 120, … up to ten minutes, less up to a fifth so
 * that many do not come back at once; never less than the provider asked for.
 */
export function backOffSeconds(failuresBefore: number, askedForMs = 0): number {
  const doubled = Math.min(FIRST_SECONDS * 2 ** Math.min(failuresBefore, 20), MAX_SECONDS);
  return Math.max(doubled * (1 - Math.random() / 5), askedForMs / 1_000);
}
