import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../../config/config';
import { getNetwork, normalizeAddress } from '../access/client-address';

/** How long a client may go on sending behind an answer. It may read the answer meanwhile; then its connection is cut. */
const LINGER_MS = 1_500;

/** The rest of a body that is read and dropped to keep the connection; a longer rest costs more than a new connection. */
const MAX_DROPPED_BYTES = 65_536;

const closingSockets = new WeakSet<Socket>();

/** The last answer of each connection. */
const answeringSockets = new WeakMap<Socket, ServerResponse>();

/** Whether `closeConnection` was called for it. */
export function isClosing(socket: Socket): boolean {
  return closingSockets.has(socket);
}

/** Whether an answer is on its way that has begun and not ended. */
export function isAnswering(socket: Socket): boolean {
  const answer = answeringSockets.get(socket);
  return answer !== undefined && answer.headersSent && !answer.writableFinished;
}

/**
 * Ends a connection for certain. The sockets of a server are half-open: `end` alone leaves each to the client for as long
 * as the client likes. What arrives until then is dropped, since a reset would take the answer from a client that
 * still sends.
 */
export function closeConnection(socket: Socket, lastWords?: string): void {
  if (closingSockets.has(socket)) return;
  closingSockets.add(socket);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end(lastWords ?? '');
  socket.resume();
}

/** Ends connections whose request was answered before all of its body had come. */
export function registerEarlyAnswers(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    answeringSockets.set(request.raw.socket, reply.raw);
    done();
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.raw.complete === false && isLong(request)) {
      const { socket } = request.raw;
      void reply.header('connection', 'close');
      // Node calls it behind the last answer of a connection; its own resets a client that still sends.
      socket.destroySoon = () => closeConnection(socket);
    }
    done(null, payload);
  });
  fastify.addHook('onResponse', (request, _reply, done) => {
    const { raw } = request;
    if (raw.complete === false && !raw.destroyed) {
      const timer = setTimeout(() => raw.socket.destroy(), LINGER_MS);
      raw.once('close', () => clearTimeout(timer));
      // A reader of the body may have stopped in the middle; Node drops only a body that nobody has begun to read.
      raw.resume();
    }
    done();
  });
}

function isLong({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > MAX_DROPPED_BYTES;
}

/** Bounds the connections of the server, in all and of one address; behind proxies all come from theirs. */
export function limitConnections(server: Server, { http }: Config): void {
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
