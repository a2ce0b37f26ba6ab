import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from './app-error';
import { asAppError, PROBLEM_MEDIA_TYPE, problemOf } from './problem';

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
