import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { toAppError } from './postgres-errors';
import { isRedisUnavailable } from '../redis/redis-clients';
import { AppError, type FieldError, unavailable } from './app-error';
import type { ErrorCode } from './error-codes';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The body of every error response. @see RFC 9457 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
  /** The number of errors left out to keep the response short. */
  readonly errorsOmitted?: number;
}

/**
 * Limits of the texts that a problem quotes, in characters. JSON writes a character in up to six bytes. Together with
 * `MAX_ERRORS_BYTES` they keep a problem below 64 KiB.
 */
const MAX_DETAIL_LENGTH = 2_500;
const MAX_PATH_LENGTH = 1_000;
/** Limit of `errors`, in bytes of JSON. */
const MAX_ERRORS_BYTES = 32_768;

/** The media type of problems. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** Error codes for the statuses that the framework throws. */
const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
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

/** Error codes for Fastify errors that are more precise than their status. */
const CODES_BY_FASTIFY_CODE: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'request.malformed_url',
  FST_ERR_MAX_PARAM_LENGTH: 'request.url_too_long',
};

/**
 * Converts a thrown value to the error for the caller. An AppError is returned unchanged; errors of PostgreSQL and of
 * the framework are mapped by table. An unavailable Redis is `service.unavailable`; the rest is `internal` without
 * details.
 */
export function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (isRedisUnavailable(thrown)) return unavailable(thrown);
  return toAppError(thrown) ?? fromFrameworkError(thrown) ?? new AppError('internal', { cause: thrown });
}

/**
 * Returns the problem document of an error.
 * @param path the path of the request, without the query, which may hold secrets
 */
export function buildProblem(error: AppError, path: string, requestId: string): Problem {
  const errors = fitToSize(error.errors);
  const omitted = error.errors.length - errors.length;
  return {
    ...error.extensions,
    type: `/docs/errors#${error.code}`,
    title: error.title,
    status: error.status,
    detail: truncate(error.detail, MAX_DETAIL_LENGTH),
    instance: truncate(path, MAX_PATH_LENGTH),
    code: error.code,
    requestId,
    ...(error.errors.length === 0 ? {} : { errors }),
    ...(omitted === 0 ? {} : { errorsOmitted: omitted }),
  };
}

/** Returns the first errors that fit into `MAX_ERRORS_BYTES`. */
function fitToSize(errors: readonly FieldError[]): readonly FieldError[] {
  let bytes = 0;
  const end = errors.findIndex((error) => (bytes += Buffer.byteLength(JSON.stringify(error))) > MAX_ERRORS_BYTES);
  return end === -1 ? errors : errors.slice(0, end);
}

function truncate(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function fromFrameworkError(thrown: unknown): AppError | undefined {
  const status = getStatus(thrown);
  if (status === undefined || status >= 500) return status === 503 ? unavailable(thrown) : undefined;
  const source = thrown instanceof HttpException ? (thrown.cause ?? thrown) : thrown;
  const fastifyCode = CODES_BY_FASTIFY_CODE[String((source as { code?: unknown }).code)];
  return new AppError(fastifyCode ?? CODES_BY_STATUS[status] ?? 'request.malformed', { cause: thrown });
}

function getStatus(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status: unknown = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined;
}

/** Sends every thrown error as a problem and logs server errors once. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Sends the problem. Aborts a response that has already begun, so that the client does not take it for complete. */
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
      .headers({ ...buildChallenge(error), ...error.headers })
      .header('content-type', PROBLEM_MEDIA_TYPE)
      .send(JSON.stringify(buildProblem(error, path, request.id)));
  }

  /** Logs server errors; other errors are ignored. */
  log(error: AppError, request: FastifyRequest): void {
    if (error.status < 500) return;
    const prefix = `${request.method} ${request.routeOptions.url ?? '-'} ${error.code} (request ${request.id})`;
    const { cause } = error;
    const reason = cause instanceof Error ? cause : error;
    if (error.code === 'internal') this.logger.error(`${prefix}: ${reason.message}`, reason.stack);
    else this.logger.warn(`${prefix}: ${reason.message}`);
  }
}

/** Returns the WWW-Authenticate header of a 401. @see RFC 9110 section 11.6.1, RFC 6750 section 3 */
function buildChallenge({ status, code }: AppError): Record<string, string> {
  if (status !== 401) return {};
  const error = code === 'auth.token_invalid' ? ', error="invalid_token"' : '';
  return { 'www-authenticate': `Bearer realm="gigvault"${error}` };
}
