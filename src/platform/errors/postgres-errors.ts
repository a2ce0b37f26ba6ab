import { AppError, unavailable, type FieldError } from './app-error';
import type { ErrorCode } from './error-codes';

/** The fields of a PostgreSQL error that the mapping reads. TypeORM wraps it as `driverError`. */
interface PgError {
  readonly code: string;
  readonly constraint?: string;
  readonly column?: string;
}

/** The error for the caller when a named constraint rejects a write. */
export interface ConstraintError {
  readonly code: ErrorCode;
  readonly pointer?: string;
  readonly message: string;
}

/**
 * Error codes by SQLSTATE: the longest prefix wins. The detail and the hint of PostgreSQL never reach the caller.
 */
const CODES: Readonly<Record<string, ErrorCode>> = {
  '08': 'service.unavailable', // connection; also PgBouncer's answer when it has no server
  // Data exception: 22001 too long, 22003 out of range, 22021 NUL, 22P02 syntax, 22P05 escape.
  '22': 'validation.failed',
  '23502': 'validation.failed', // NOT NULL
  '23503': 'conflict.in_use',
  '23505': 'conflict.duplicate',
  '23514': 'validation.failed', // CHECK
  '25006': 'service.unavailable', // read-only transaction: the server became a standby
  '25P03': 'service.unavailable', // idle in transaction for too long
  '40001': 'conflict.concurrent', // serialization failure
  '40P01': 'conflict.concurrent', // deadlock
  '42501': 'auth.forbidden', // row level security or a missing grant
  '53': 'service.unavailable', // insufficient resources: 53100 disk full, 53300 too many connections
  '55P03': 'conflict.concurrent', // lock not available
  '57014': 'service.unavailable', // statement timeout
  '57P': 'service.unavailable', // 57P01 admin shutdown, 57P02 crash, 57P03 starting up
  '58': 'service.unavailable', // system error: 58030 I/O
  GV001: 'service.unavailable', // the signature of the context expired while the transaction waited
  // GV002 is absent: a write that was taken for a read is a programming error (refuse_short_context.sql).
};

const NETWORK_CODES = new Set([
  ...['ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT'],
]);

/** Messages of pg's pool and client errors that carry no code. */
const CONNECTION_MESSAGES = new RegExp(
  `^(?:${[
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Connection terminated',
    'Client has encountered a connection error',
    'Client was closed',
    'Cannot use a pool after calling end',
  ].join('|')})`,
);

const constraintErrors = new Map<string, ConstraintError>();

/**
 * Declares the error for a violation of a named UNIQUE, CHECK or FOREIGN KEY constraint. Each domain declares its own.
 */
export function declareConstraint(name: string, error: ConstraintError): void {
  constraintErrors.set(name, error);
}

/** Returns the declared error of a constraint, if any. */
export function describeConstraint(name: string): ConstraintError | undefined {
  return constraintErrors.get(name);
}

/**
 * Returns the caller's error for an error of PostgreSQL or of the connection to it. Returns undefined for other errors
 * and for programming errors, such as a missing column.
 */
export function toAppError(error: unknown): AppError | undefined {
  if (!(error instanceof Error)) return undefined;
  const cause = 'driverError' in error ? error.driverError : error;
  if (isPgError(cause)) return fromState(cause);
  if (isConnectionError(cause)) return unavailable(cause);
  return undefined;
}

/** Matches all that a message quotes, from the first quotation mark to the last. */
const QUOTED = /"[^]*"/;

/** Hides the values that PostgreSQL quotes in the message of a data exception: messages are logged and stored. */
export function hideQuotedValues(error: Error): void {
  if (isPgError(error) && error.code.startsWith('22')) error.message = error.message.replace(QUOTED, '"…"');
}

function fromState(error: PgError): AppError | undefined {
  const declared = error.constraint === undefined ? undefined : constraintErrors.get(error.constraint);
  if (declared && error.code.startsWith('23')) return createConstraintError(declared, error);
  const code = CODES[error.code] ?? CODES[error.code.slice(0, 3)] ?? CODES[error.code.slice(0, 2)];
  if (code === undefined) return undefined;
  if (code === 'service.unavailable') return unavailable(error);
  return new AppError(code, { detail: describeState(error), errors: buildFieldErrors(error), cause: error });
}

/** Returns the error for a violation; also for a rule of which a constraint guards only a part. */
export function createConstraintError({ code, pointer, message }: ConstraintError, cause?: unknown): AppError {
  const errors = pointer === undefined ? [] : [{ pointer, code: code.replace('.', '_'), message }];
  return new AppError(code, { detail: message, errors, cause });
}

function describeState({ code }: PgError): string | undefined {
  if (code === '22001') return 'A text is too long.';
  if (code === '22003') return 'A number is out of range.';
  if (code.startsWith('22')) return 'A value has a format that cannot be stored.';
  return undefined;
}

function buildFieldErrors({ code, column }: PgError): FieldError[] {
  if (code !== '23502' || column === undefined) return [];
  const name = column.replace(/_([a-z])/g, (_, initial: string) => initial.toUpperCase());
  return [{ pointer: `/${name}`, code: 'required', message: `${name} must not be null.` }];
}

function isPgError(error: unknown): error is PgError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code) &&
    'severity' in error
  );
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && NETWORK_CODES.has(String(error.code))) return true;
  if (error instanceof AggregateError) return error.errors.some(isConnectionError);
  return CONNECTION_MESSAGES.test(error.message) || error.name === 'MaxRetriesPerRequestError';
}
