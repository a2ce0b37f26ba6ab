import type { FastifyInstance, FastifyRequest } from 'fastify';
import { runInContext, type RequestContext } from '../context/request-context';
import { AppError } from '../errors/app-error';
import { normaliseAddress } from './client-address';
import { assertParams, assertQuery, type Query } from './query-string';
import type { RouteTable } from './route-table';

/** Longer ones are no browser's; the column that keeps them is for people to read. */
const MAX_USER_AGENT = 512;

/** Gives every request its context for all that follows, and every answer its request id; nothing personal is cached. */
export function registerRequestContext(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (!request.routeOptions.url?.startsWith('/docs')) void reply.header('cache-control', 'no-store');
    runInContext(contextOf(request), done);
  });
}

/** Refuses requests of HTTP/1.1 that do not name one host. @see RFC 9112 section 3.2 */
export function registerProtocolChecks(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    const hosts = raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
    if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return done();
    done(new AppError('request.malformed', { detail: 'Send exactly one Host header.' }));
  });
}

/** Refuses wrong paths, wrong methods, and addresses that cannot be read, before the body is. */
export function registerRequestChecks(fastify: FastifyInstance, routes: RouteTable): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const methods = routes.methodsOf(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0) return done(new AppError('route.not_found'));
    void reply.header('allow', methods.join(', '));
    if (request.method === 'OPTIONS') return void reply.status(204).send();
    done(new AppError('route.method_not_allowed', { detail: `This route accepts ${methods.join(', ')}.` }));
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    try {
      assertParams(request.params as Record<string, string>);
      assertQuery(request.query as Query);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

function contextOf(request: FastifyRequest): RequestContext {
  return {
    requestId: request.id,
    ip: normaliseAddress(request.ip) ?? normaliseAddress(request.socket.remoteAddress),
    userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    operation: `${request.method} ${request.routeOptions.url ?? '-'}`,
  };
}
