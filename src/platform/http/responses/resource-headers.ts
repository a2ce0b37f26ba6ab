import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { assertMatches, matchesAny, readPreconditions } from './preconditions';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The path of `@FollowAt`. */
    followAt?: string;
    /** Whether the route is one of `@Unconditional`. */
    isUnconditional?: boolean;
  }
}

/**
 * Gives the 202 of a route its Location.
 * @param path where the work can be followed; a parameter of the route's own path is filled in: `/v1/webhooks/:id/deliveries`
 */
export function LocationAt(path: string): MethodDecorator {
  return RouteConfig({ followAt: path } satisfies FastifyContextConfig);
}

/**
 * Marks a GET that changes something: it has no version that a reader could have already, so preconditions are ignored.
 * @see RFC 9110 section 13.2.1
 */
export function Unconditional(): MethodDecorator {
  return RouteConfig({ isUnconditional: true } satisfies FastifyContextConfig);
}

/**
 * Gives answers that are a single resource their headers: one with a `version` its ETag, and a reader who has that
 * version already 304 without a body, one whose If-Match names others 412; a created one with an `id` the Location `<path of the list>/<id>`, unless its
 * handler has named another; one of accepted work the Location of `@FollowAt`. A browser may keep what has an id and an
 * ETag and asks before it shows it (`private, no-cache`); all else is `no-store`. Hooks and
 * no interceptors: each interceptor costs every request several promises and observables.
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
    // Fastify takes the body of HEAD away itself, for the length that the answer to GET would have, and fails without one.
    done(null, request.method === 'HEAD' ? payload : null);
  });
}

function setEntityTag(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const version = readNumber(body, 'version');
  if (version === undefined) return;
  void reply.header('etag', `"${version}"`);
  // A change has tried its preconditions before it was made.
  if ((request.method !== 'GET' && request.method !== 'HEAD') || request.routeOptions.config.isUnconditional) return;
  const preconditions = readPreconditions(request.headers);
  assertMatches({ version }, preconditions);
  const { ifNoneMatch } = preconditions ?? {};
  if (hasPathParameter(request)) void reply.header('cache-control', 'private, no-cache');
  if (ifNoneMatch !== undefined && matchesAny({ version }, ifNoneMatch)) void reply.status(304);
}

/**
 * Returns whether the path names the row by its id, which no two tenants share. `/v1/profile` is another resource for each
 * user: a browser that two people use would send the ETag of the one and show their profile to the other on a 304.
 */
function hasPathParameter({ params }: FastifyRequest): boolean {
  return Object.keys(params as object).length > 0;
}

function setLocation(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { followAt } = request.routeOptions.config;
  if (reply.statusCode === 202 && followAt !== undefined) {
    const params = request.params as Readonly<Record<string, string>>;
    void reply.header(
      'location',
      followAt.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? '')),
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
