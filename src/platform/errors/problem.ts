import { HttpException } from '@nestjs/common';
import { toAppError } from '../database/pg-errors';
import { isRedisUnavailable } from '../redis/redis-errors';
import { AppError, unavailable, type FieldError } from './app-error';
import type { ErrorCode } from './error-codes';

/** The body of every error answer. @see RFC 9457 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
  /** How many of the errors found were left out, so that the answer stays short. */
  readonly errorsOmitted?: number;
}

/**
 * Bounds of a problem document, together below 64 KiB: an error may quote its input, but no input may make a long answer.
 * In characters, which JSON may write as six bytes each.
 */
const MAX_DETAIL_LENGTH = 2_500;
const MAX_PATH_LENGTH = 1_000;
/** In bytes as JSON. */
const MAX_ERRORS_BYTES = 32_768;

/** Media type of problems. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** What the framework's own statuses mean in our table. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'request.malformed',
  401: 'auth.session_missing',
  403: 'auth.forbidden',
  404: 'route.not_found',
  405: 'route.method_not_allowed',
  406: 'request.not_acceptable',
  408: 'request.timeout',
  412: 'precondition.failed',
  413: 'request.body_too_large',
  414: 'request.url_too_long',
  415: 'request.media_type_unsupported',
  429: 'rate.limited',
  431: 'request.headers_too_large',
  503: 'service.unavailable',
};

/** Fastify's codes that say more than their status. */
const CODE_OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'request.malformed_url',
  FST_ERR_MAX_PARAM_LENGTH: 'request.url_too_long',
};

/**
 * Returns the error the caller may see for anything thrown: an AppError as it is, PostgreSQL's and the framework's by
 * table, Redis's as `service.unavailable` where it cannot serve now, everything else as `internal` without details.
 */
export function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (isRedisUnavailable(thrown)) return unavailable(thrown);
  return toAppError(thrown) ?? fromFramework(thrown) ?? new AppError('internal', { cause: thrown });
}

/**
 * Returns the body for an error.
 * @param path the request's path; the query stays out, it may hold what the sender would not repeat
 */
export function problemOf(error: AppError, path: string, requestId: string): Problem {
  const errors = fitting(error.errors);
  const omitted = error.errors.length - errors.length;
  return {
    ...error.extensions,
    type: `/docs/errors#${error.code}`,
    title: error.title,
    status: error.status,
    ...(error.detail === undefined ? {} : { detail: cut(error.detail, MAX_DETAIL_LENGTH) }),
    instance: cut(path, MAX_PATH_LENGTH),
    code: error.code,
    requestId,
    ...(error.errors.length === 0 ? {} : { errors }),
    ...(omitted === 0 ? {} : { errorsOmitted: omitted }),
  };
}

/** Returns the first errors, as many as fit. */
function fitting(errors: readonly FieldError[]): readonly FieldError[] {
  let bytes = 0;
  const end = errors.findIndex((error) => (bytes += Buffer.byteLength(JSON.stringify(error))) > MAX_ERRORS_BYTES);
  return end === -1 ? errors : errors.slice(0, end);
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function fromFramework(thrown: unknown): AppError | undefined {
  const status = statusOf(thrown);
  if (status === undefined || status >= 500) return status === 503 ? unavailable(thrown) : undefined;
  const source = thrown instanceof HttpException ? (thrown.cause ?? thrown) : thrown;
  const fastifyCode = CODE_OF_FASTIFY[String((source as { code?: unknown }).code)];
  return new AppError(fastifyCode ?? CODE_OF_STATUS[status] ?? 'request.malformed', { cause: thrown });
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status: unknown = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined;
}
