import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { assertMatches, hasOneOf, preconditionsOf } from './if-match';

/**
 * Gives answers that are a single resource their headers: one with a `version` its ETag, and a reader who has that
 * version already 304 without a body, one whose If-Match names others 412; a created one with an `id` the Location `<path of the list>/<id>`, unless its
 * handler has named another. Answers carry `Cache-Control: no-store`, so no cache shares an ETag between users. Hooks and
 * no interceptors: each interceptor costs every request several promises and observables.
 * @see RFC 9110 sections 13 and 15.3.2
 */
export function registerResourceHeaders(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, body, done) => {
    try {
      tag(body, request, reply);
      locate(body, request, reply);
      done(null, body);
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.statusCode !== 304) return done(null, payload);
    void reply.removeHeader('content-type');
    done(null, null);
  });
}

function tag(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const version = numberIn(body, 'version');
  if (version === undefined) return;
  void reply.header('etag', `"${version}"`);
  // A change has tried its preconditions before it was made.
  if (request.method !== 'GET' && request.method !== 'HEAD') return;
  const preconditions = preconditionsOf(request.headers);
  assertMatches({ version }, preconditions);
  const { ifNoneMatch } = preconditions ?? {};
  if (ifNoneMatch !== undefined && hasOneOf({ version }, ifNoneMatch)) void reply.status(304);
}

function locate(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (reply.statusCode !== 201 || reply.hasHeader('location')) return;
  const id = numberIn(body, 'id');
  if (id === undefined) return;
  const path = request.url.split('?', 1)[0]?.replace(/(?<!\/)\/+$/, '');
  void reply.header('location', `${path}/${id}`);
}

function numberIn(body: unknown, property: 'id' | 'version'): number | undefined {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[property] : undefined;
  return typeof value === 'number' ? value : undefined;
}
