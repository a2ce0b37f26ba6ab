import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config';
import type { ErrorCode } from '../errors/error-codes';
import { AppError } from '../errors/app-error';
import { asAppError, PROBLEM_MEDIA_TYPE, problemOf } from '../errors/problem';
import { parseQuery } from './query-string';
import { requestIdOf } from './request-id';

/** Longest parameter in a path; tables and task ids are shorter, ids far so. */
const MAX_PARAM_LENGTH = 128;

/** How long a client may take to send a whole request, and its headers. */
const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 15_000;

/** Nest's options that belong to the adapter: our own body parsers, our own logger, errors thrown instead of exits. */
export const NEST_OPTIONS = { bodyParser: false, bufferLogs: true, abortOnError: false } as const;

/** Makes the Fastify adapter; `configureApp` completes it. */
export function createAdapter(config: Config): FastifyAdapter {
  const proxies = [...config.http.trustedProxies];
  const adapter = new FastifyAdapter({
    logger: false,
    trustProxy: proxies.length > 0 ? proxies : false,
    bodyLimit: config.limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: requestIdOf,
    // Requests that reach a closing server are accepted work; they are answered with `connection: close`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, querystringParser: parseQuery },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  adapter.getInstance().server.headersTimeout = HEADERS_TIMEOUT_MS;
  return adapter;
}

/** Malformed and over-long addresses are refused before any hook runs, so the headers of every answer are set here. */
function answerFrameworkError(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = asAppError(thrown);
  void reply
    .status(error.status)
    .headers({
      'content-type': PROBLEM_MEDIA_TYPE,
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .send(JSON.stringify(problemOf(error, '', request.id)));
}

/** What is not HTTP at all has no request and no reply, only a socket. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const code = codeOfClientError(error.code);
  const requestId = requestIdOf({ headers: {} });
  const problem = new AppError(code);
  const body = JSON.stringify(problemOf(problem, '', requestId));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

function codeOfClientError(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'request.headers_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request.timeout';
  return 'request.malformed';
}
