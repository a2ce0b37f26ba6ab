import { parseRetryAfter } from '../platform/http/edge/header-values';

/**
 * Kinds of failures. `refused`: the token is void; `limited`: too many calls; `budget_used`: the day's calls are used,
 * and no call was made; `unavailable`: unreachable or out of order; `permission_missing`: the owner of the API key
 * must add a permission; `document_refused`: Upwork's schema does not have the document, which the operator must know;
 * `unusable`: the answer is not as documented.
 */
export type UpworkErrorKind =
  'refused' | 'limited' | 'budget_used' | 'unavailable' | 'permission_missing' | 'document_refused' | 'unusable';

interface UpworkErrorOptions {
  readonly retryAfterMs?: number;
  readonly permission?: string;
  readonly isGrantRefused?: boolean;
  readonly cause?: unknown;
}

/** Failed call to Upwork. The message never contains a token. */
export class UpworkError extends Error {
  readonly kind: UpworkErrorKind;
  /** Delay that Upwork asked for. */
  readonly retryAfterMs: number | undefined;
  /** What the API key may not read or do; set for `permission_missing`. */
  readonly permission: string | undefined;

  /** True when the token endpoint refused the tokens of the user, with a word that need not be final. */
  readonly isGrantRefused: boolean;

  constructor(kind: UpworkErrorKind, message: string, options: UpworkErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = UpworkError.name;
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.permission = options.permission;
    this.isGrantRefused = options.isGrantRefused ?? false;
  }

  /** True when the same call can succeed later without a change by anybody. */
  get isTransient(): boolean {
    return this.kind === 'unavailable' || this.kind === 'limited' || this.kind === 'budget_used';
  }
}

/** Upper bound: longer delays would look like a dead connection. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Returns the delay that Retry-After asks for, in milliseconds. */
export function readRetryAfterMs(headers: Headers): number | undefined {
  return parseRetryAfter(headers.get('retry-after'), MAX_RETRY_AFTER_MS);
}

/** Returns whether a response has a JSON body; proxies in front of Upwork answer in HTML. */
export function hasJsonBody(headers: Headers): boolean {
  return /\bjson\b/i.test(headers.get('content-type') ?? '');
}
