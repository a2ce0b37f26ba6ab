import { parseRetryAfter } from '../platform/http/edge/header-values';

/**
 * Why Upwork did not do what it was asked. `refused`: it said no for good (the grant is void); `limited`: too many calls;
 * `unavailable`: it could not be reached or is out of order; `unusable`: its answer is not what its documents promise.
 */
export type UpworkErrorKind = 'refused' | 'limited' | 'unavailable' | 'unusable';

/** A call to Upwork that failed. The message names what happened and never a token. */
export class UpworkError extends Error {
  readonly kind: UpworkErrorKind;
  /** Upwork asked to be left alone for so long. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: UpworkErrorKind, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = UpworkError.name;
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Longer waits would be mistaken for a dead connection. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Returns how long an answer of Upwork asks to be left alone, in milliseconds. */
export function readRetryAfterMs(headers: Headers): number | undefined {
  return parseRetryAfter(headers.get('retry-after'), MAX_RETRY_AFTER_MS);
}
