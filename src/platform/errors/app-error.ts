import { ERROR_CODES, type ErrorCode, type ErrorCodeDefinition } from './error-codes';

/** One wrong value of a request. */
export interface FieldError {
  /** JSON pointer into the body (`/skills/3`, '' for the whole), or `/name` of a parameter. */
  readonly pointer: string;
  /** What rule it breaks: `unknown_field`, `max_length`. */
  readonly code: string;
  readonly message: string;
}

/** What an `AppError` may tell besides its code. */
export interface AppErrorOptions {
  /** A sentence for the caller about this occurrence; never holds a secret or an internal. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Response headers that belong to the error: Retry-After, Allow. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Members of the problem besides the standard ones. @see RFC 9457 section 3.2 */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/**
 * The one error that is meant for the caller: the problem filter turns it into RFC 9457 JSON. Everything else that is
 * thrown becomes `internal` without details.
 */
export class AppError extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ErrorCode,
    options: AppErrorOptions = {},
  ) {
    const { status, title, detail }: ErrorCodeDefinition = ERROR_CODES[code];
    super(options.detail ?? detail ?? title, { cause: options.cause });
    this.name = AppError.name;
    this.status = status;
    this.title = title;
    this.detail = options.detail ?? detail;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
  }
}

/** `validation.failed` for one value. */
export function invalidValue(pointer: string, code: string, message: string): AppError {
  return new AppError('validation.failed', { detail: message, errors: [{ pointer, code, message }] });
}

/** `service.unavailable`, to be tried again soon. */
export function unavailable(cause?: unknown): AppError {
  return new AppError('service.unavailable', { headers: { 'retry-after': '2' }, cause });
}
