import { ERROR_CODES, type ErrorCode, type ErrorCodeDefinition } from './error-codes';

/** An error of one value in a request. */
export interface FieldError {
  /** JSON pointer into the body (`/skills/3`, '' for the whole body), or `/name` of a parameter. */
  readonly pointer: string;
  /** The broken rule: `unknown_field`, `max_length`. */
  readonly code: string;
  readonly message: string;
}

/** The parts of an `AppError` besides its code. */
export interface AppErrorOptions {
  /** A sentence for the caller about this occurrence, without secrets or internals. Default: the detail of the code. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Response headers of the error: Retry-After, Allow. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the problem. @see RFC 9457 section 3.2 */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/**
 * An error whose text the caller may read. The problem filter sends it as RFC 9457 JSON; other errors become `internal`
 * without details.
 */
export class AppError extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ErrorCode,
    options: AppErrorOptions = {},
  ) {
    const { status, title, detail }: ErrorCodeDefinition = ERROR_CODES[code];
    super(options.detail ?? title, { cause: options.cause });
    this.name = AppError.name;
    this.status = status;
    this.title = title;
    this.detail = options.detail ?? detail;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
  }
}

/** Returns `validation.failed` for one value. */
export function invalidValue(pointer: string, code: string, message: string): AppError {
  return new AppError('validation.failed', { detail: message, errors: [{ pointer, code, message }] });
}

/** Returns `service.unavailable` with a Retry-After of 2 seconds. */
export function unavailable(cause?: unknown): AppError {
  return new AppError('service.unavailable', { headers: { 'retry-after': '2' }, cause });
}
