import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { assertMatches, matchesAny, readPreconditions } from './preconditions';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The path of `@LocationAt`. */
    locationAt?: string;
    /** True for routes marked by `@Unconditional`. */
    isUnconditional?: boolean;
  }
}

/**
 * Sets the Location of a 202 response.
 * @param path of the resource that shows the progress, with parameters of the route: `/v1/webhooks/:id/deliveries`
 */
export function LocationAt(path: string): MethodDecorator {
  return RouteConfig({ locationAt: path } satisfies FastifyContextConfig);
}

/**
 * Marks a GET that changes something. Its preconditions are ignored.
 * @see RFC 9110 section 13.2.1
 */
export function Unconditional(): MethodDecorator {
  return RouteConfig({ isUnconditional: true } satisfies FastifyContextConfig);
}

/**
 * Adds the headers of single resources. A body with a `version` gets an ETag; a read is 304 or 412 by its
 * preconditions. A created body with an `id` gets the Location `<path of the list>/<id>`, unless the handler set one; a
 * 202 gets that of `@LocationAt`. Resources with an id and an ETag are `private, no-cache`; other responses are
 * `no-store`. These are hooks: an interceptor would cost every request several promises and observables.
 * @see RFC 9110 sections 13 and 15.3.2
 */
export function registerResourceHeaders(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, body, done) => {
    try {
      setEntityTag(body, request, reply);
      setLocation(body, request, reply);
      done(null, body);
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode !== 304) return done(null, payload);
    void reply.removeHeader('content-type');
    // For HEAD Fastify removes the body itself, after it has read its length.
    done(null, request.method === 'HEAD' ? payload : null);
  });
}

function setEntityTag(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const version = readNumber(body, 'version');
  if (version === undefined) return;
  void reply.header('etag', `"${version}"`);
  // A change has checked its preconditions already.
  if ((request.method !== 'GET' && request.method !== 'HEAD') || request.routeOptions.config.isUnconditional) return;
  const preconditions = readPreconditions(request.headers);
  assertMatches({ version }, preconditions);
  const { ifNoneMatch } = preconditions ?? {};
  if (hasPathParameter(request)) void reply.header('cache-control', 'private, no-cache');
  if (ifNoneMatch !== undefined && matchesAny({ version }, ifNoneMatch)) void reply.status(304);
}

/**
 * Returns whether the path has the id of the row, which no two tenants share. `/v1/profile` differs by user: in a
 * shared browser a 304 could show one user the profile of another.
 */
function hasPathParameter({ params }: FastifyRequest): boolean {
  return Object.keys(params as object).length > 0;
}

function setLocation(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { locationAt } = request.routeOptions.config;
  if (reply.statusCode === 202 && locationAt !== undefined) {
    const params = request.params as Readonly<Record<string, string>>;
    void reply.header(
      'location',
      locationAt.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? '')),
    );
  }
  if (reply.statusCode !== 201 || reply.hasHeader('location')) return;
  const id = readNumber(body, 'id');
  if (id === undefined) return;
  const path = request.url.split('?', 1)[0]?.replace(/(?<!\/)\/+$/, '');
  void reply.header('location', `${path}/${id}`);
}

function readNumber(body: unknown, property: 'id' | 'version'): number | undefined {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[property] : undefined;
  return typeof value === 'number' ? value : undefined;
}
