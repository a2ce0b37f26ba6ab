const DAY_SECONDS = 86_400;

/** Share of the day's calls that polling leaves to requests of users. */
const RESERVED_SHARE = 0.1;

/** Calls to Upwork of the current UTC day, of all processes. */
export interface CallBudget {
  readonly perDay: number;
  readonly used: number;
  /** Time until the next UTC day. */
  readonly secondsUntilReset: number;
}

/** Returns how many calls of a day polling may make; the rest is reserved for requests of users. */
export function computePollingLimit(perDay: number): number {
  return Math.floor(perDay * (1 - RESERVED_SHARE));
}

/** A higher power answers a shortage earlier, so that the pace is even; 1 would leave the evening almost nothing. */
const STRETCH_POWER = 4;

/**
 * Stretches a polling interval when calls run short: when the share of the calls that is left is smaller than the share
 * of the day that is left. The less is left, the longer the interval, so that the rest lasts until the end of the day.
 * Without calls, the next poll is at the start of the next day.
 */
export function stretchInterval(seconds: number, { perDay, used, secondsUntilReset }: CallBudget): number {
  const limit = computePollingLimit(perDay);
  const leftShare = Math.max(0, limit - used) / limit;
  const factor = Math.max(1, secondsUntilReset / DAY_SECONDS / leftShare) ** STRETCH_POWER;
  return Math.max(seconds, Math.min(seconds * factor, secondsUntilReset));
}
