import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { toAppError } from './postgres-errors';
import { isRedisUnavailable } from '../redis/redis-clients';
import { AppError, type FieldError, unavailable } from './app-error';
import type { ErrorCode } from './error-codes';
import type { FastifyReply, FastifyRequest } from 'fastify';

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
  return toAppError(thrown) ?? ofFrameworkError(thrown) ?? new AppError('internal', { cause: thrown });
}

/**
 * Returns the body for an error.
 * @param path the request's path; the query stays out, it may hold what the sender would not repeat
 */
export function problemOf(error: AppError, path: string, requestId: string): Problem {
  const errors = fitToSize(error.errors);
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
function fitToSize(errors: readonly FieldError[]): readonly FieldError[] {
  let bytes = 0;
  const end = errors.findIndex((error) => (bytes += Buffer.byteLength(JSON.stringify(error))) > MAX_ERRORS_BYTES);
  return end === -1 ? errors : errors.slice(0, end);
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function ofFrameworkError(thrown: unknown): AppError | undefined {
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

/** Answers everything that is thrown, the framework's own included, as a problem; logs what is our fault, once. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Sends the problem; an answer that has begun already is cut, so that nobody takes it for whole. */
  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = asAppError(thrown);
    this.log(error, request);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    const path = request.url.split('?', 1)[0] ?? '';
    void reply
      .status(error.status)
      .headers({ ...challengeOf(error), ...error.headers })
      .header('content-type', PROBLEM_MEDIA_TYPE)
      .send(JSON.stringify(problemOf(error, path, request.id)));
  }

  /** Logs an error that is our fault, once. */
  log(error: AppError, request: FastifyRequest): void {
    if (error.status < 500) return;
    const what = `${request.method} ${request.routeOptions.url ?? '-'} ${error.code} (request ${request.id})`;
    const { cause } = error;
    const reason = cause instanceof Error ? cause : error;
    if (error.code === 'internal') this.logger.error(`${what}: ${reason.message}`, reason.stack);
    else this.logger.warn(`${what}: ${reason.message}`);
  }
}

/** A 401 must say how to sign in. @see RFC 9110 section 11.6.1, RFC 6750 section 3 */
function challengeOf({ status, code }: AppError): Record<string, string> {
  if (status !== 401) return {};
  const error = code === 'auth.token_invalid' ? ', error="invalid_token"' : '';
  return { 'www-authenticate': `Bearer realm="gigvault"${error}` };
}
