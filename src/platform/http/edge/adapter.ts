import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../../config/config';
import type { ErrorCode } from '../../errors/error-codes';
import { AppError } from '../../errors/app-error';
import { asAppError, PROBLEM_MEDIA_TYPE, buildProblem } from '../../errors/problem.filter';
import { parseQuery } from '../validation/query-string';
import { readRequestId } from './header-values';
import { getNetwork, normalizeAddress } from '../access/client-address';

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

/** Time for the client to read a response while it still sends. After it the connection is closed. */
const LINGER_MS = 1_500;

/** The most that is read and dropped to keep a connection. More would cost more than a new connection. */
const MAX_DROPPED_BYTES = 65_536;

const closingSockets = new WeakSet<Socket>();

/** The latest response of each connection. */
const answeringSockets = new WeakMap<Socket, ServerResponse>();

/** Returns whether `closeConnection` was called for the socket. */
function isClosing(socket: Socket): boolean {
  return closingSockets.has(socket);
}

/** Returns whether a response has begun and not ended. */
function isAnswering(socket: Socket): boolean {
  const answer = answeringSockets.get(socket);
  return answer !== undefined && answer.headersSent && !answer.writableFinished;
}

/**
 * Closes a connection, at the latest after 1.5 s. Server sockets are half-open, so `end` alone would let the client
 * keep the connection. Data that still arrives is dropped: a reset would discard the response before a sending client
 * reads it.
 */
function closeConnection(socket: Socket, response?: string): void {
  if (closingSockets.has(socket)) return;
  closingSockets.add(socket);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end(response ?? '');
  socket.resume();
}

/** Closes connections whose request was answered before its body was complete. */
export function registerEarlyAnswers(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    answeringSockets.set(request.raw.socket, reply.raw);
    done();
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.raw.complete === false && isLong(request)) {
      const { socket } = request.raw;
      void reply.header('connection', 'close');
      // Node calls it after the last response of a connection. Its own version resets a client that still sends.
      socket.destroySoon = () => closeConnection(socket);
    }
    done(null, payload);
  });
  fastify.addHook('onResponse', (request, _reply, done) => {
    const { raw } = request;
    if (raw.complete === false && !raw.destroyed) {
      const timer = setTimeout(() => raw.socket.destroy(), LINGER_MS);
      raw.once('close', () => clearTimeout(timer));
      // Node drops only a body that was never read; this one may be half read.
      raw.resume();
    }
    done();
  });
}

function isLong({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > MAX_DROPPED_BYTES;
}

/** Limits the connections of the server, in total and per address. Behind proxies only the total is limited. */
function limitConnections(server: Server, { http }: Config): void {
  server.maxConnections = http.maxConnections;
  if (http.trustedProxies.length > 0) return;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const network = getNetwork(normalizeAddress(socket.remoteAddress));
    const count = (open.get(network) ?? 0) + 1;
    if (count > http.maxConnectionsPerAddress) return void socket.destroy();
    open.set(network, count);
    socket.once('close', () => {
      const left = open.get(network)! - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}
