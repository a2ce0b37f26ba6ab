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

/** Reads Retry-After: seconds or a date; undefined when there is none to go by. @see RFC 9110 section 10.2.3 */
export function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

/** Longer waits would be mistaken for a dead connection. */
const MAX_RETRY_AFTER_MS = 3_600_000;
