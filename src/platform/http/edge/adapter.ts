import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../../config/config';
import type { ErrorCode } from '../../errors/error-codes';
import { AppError } from '../../errors/app-error';
import { asAppError, PROBLEM_MEDIA_TYPE, buildProblem } from '../../errors/problem.filter';
import { parseQuery } from '../validation/query-string';
import { readRequestId } from './header-values';
import { closeConnection, isAnswering, isClosing, limitConnections } from './connections';

/** Limit of a path parameter, in characters. Ids and names of tables and tasks are shorter. */
const MAX_PARAM_LENGTH = 128;

/** Longest interval between Node's checks for requests that take too long. Shorter limits are checked more often. */
const TIMEOUT_CHECK_MS = 5_000;

/** Options of Nest that the adapter needs: no default body parsers, buffered logs, errors thrown instead of exits. */
export const NEST_OPTIONS = { bodyParser: false, bufferLogs: true, abortOnError: false } as const;

/** Creates the Fastify adapter; `configureApp` completes it. */
export function createAdapter(config: Config): FastifyAdapter {
  const proxies = [...config.http.trustedProxies];
  const { requestTimeoutMs, headersTimeoutMs } = config.http;
  const adapter = new FastifyAdapter({
    logger: false,
    trustProxy: proxies.length > 0 ? proxies : false,
    bodyLimit: config.limits.bodyBytes,
    requestTimeout: requestTimeoutMs,
    http: {
      // Node would not answer with a problem document; `registerProtocolChecks` rejects a request without Host.
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, Math.ceil(headersTimeoutMs / 2)),
    },
    genReqId: readRequestId,
    // Requests that reach a closing server are served, with `connection: close`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, querystringParser: parseQuery },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  const { server } = adapter.getInstance();
  server.headersTimeout = headersTimeoutMs;
  limitConnections(server, config);
  answerExpectations(server);
  return adapter;
}

/** Rejects malformed and too long URLs. No hook runs for them, so the common headers are set here. */
function answerFrameworkError(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = asAppError(thrown);
  void reply
    .status(error.status)
    .headers(protocolHeaders(request.id))
    .send(JSON.stringify(buildProblem(error, '', request.id)));
}

/** Rejects bytes that are not HTTP, or that come too late. There is no request and no reply, only a socket. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (isClosing(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  // After the beginning of another response the client could not separate the two.
  if (isAnswering(socket)) return closeConnection(socket);
  const requestId = readRequestId({ headers: {} });
  const problem = new AppError(toErrorCode(error.code));
  const body = JSON.stringify(buildProblem(problem, '', requestId));
  const headers = Object.entries({
    ...protocolHeaders(requestId),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  closeConnection(socket, `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines}\r\n${body}`);
}

/** Starts requests that wait for `100 Continue` and rejects other values of Expect. */
function answerExpectations(server: Server): void {
  server.on('checkContinue', (request, reply) => void server.emit('request', request, reply));
  server.on('checkExpectation', (request: IncomingMessage, reply: ServerResponse) => {
    const requestId = readRequestId(request);
    const problem = new AppError('request.expectation_failed');
    reply
      .writeHead(problem.status, { ...protocolHeaders(requestId), connection: 'close' })
      .end(JSON.stringify(buildProblem(problem, request.url?.split('?', 1)[0] ?? '', requestId)));
  });
}

/** Returns the headers of a response that passes no hook. */
function protocolHeaders(requestId: string): Record<string, string> {
  return {
    'content-type': PROBLEM_MEDIA_TYPE,
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

function toErrorCode(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'request.headers_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request.timeout';
  return 'request.malformed';
}
