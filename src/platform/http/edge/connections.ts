import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../../config/config';
import { getNetwork, normalizeAddress } from '../access/client-address';

/** Time for the client to read a response while it still sends. After it the connection is closed. */
const LINGER_MS = 1_500;

/** The most that is read and dropped to keep a connection. More would cost more than a new connection. */
const MAX_DROPPED_BYTES = 65_536;

const closingSockets = new WeakSet<Socket>();

/** The latest response of each connection. */
const answeringSockets = new WeakMap<Socket, ServerResponse>();

/** Returns whether `closeConnection` was called for the socket. */
export function isClosing(socket: Socket): boolean {
  return closingSockets.has(socket);
}

/** Returns whether a response has begun and not ended. */
export function isAnswering(socket: Socket): boolean {
  const answer = answeringSockets.get(socket);
  return answer !== undefined && answer.headersSent && !answer.writableFinished;
}

/**
 * Closes a connection, at the latest after 1.5 s. Server sockets are half-open, so `end` alone would let the client
 * keep the connection. Data that still arrives is dropped: a reset would discard the response before a sending client
 * reads it.
 */
export function closeConnection(socket: Socket, response?: string): void {
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
