import { parseRetryAfter } from '../platform/http/edge/header-values';

/**
 * Kinds of failures. `refused`: permanent, the grant is void; `limited`: too many calls; `unavailable`: unreachable or
 * out of order; `unusable`: the answer is not as documented.
 */
export type UpworkErrorKind = 'refused' | 'limited' | 'unavailable' | 'unusable';

/** Failed call to Upwork. The message never contains a token. */
export class UpworkError extends Error {
  readonly kind: UpworkErrorKind;
  /** Delay that Upwork asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: UpworkErrorKind, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = UpworkError.name;
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Upper bound: longer delays would look like a dead connection. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Returns the delay that Retry-After asks for, in milliseconds. */
export function readRetryAfterMs(headers: Headers): number | undefined {
  return parseRetryAfter(headers.get('retry-after'), MAX_RETRY_AFTER_MS);
}
