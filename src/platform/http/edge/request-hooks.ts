import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { type RequestContext, runInContext } from '../../context/request-context';
import { AppError } from '../../errors/app-error';
import { normalizeAddress } from '../access/client-address';
import { assertParams, assertQuery, type Query } from '../validation/query-string';
import helmet, { type HelmetOptions } from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Config } from '../../config/config';
import compress from '@fastify/compress';

/** The methods of each path, to separate a wrong method (405) from an unknown path (404). */
export class RouteTable {
  private readonly routes: { readonly segments: readonly string[]; readonly methods: Set<string> }[] = [];

  /** Records every route that is registered after this call. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => this.add([method].flat(), url));
  }

  /** Returns the methods of the path with OPTIONS, sorted; an empty list for an unknown path. */
  listMethods(path: string): string[] {
    const segments = splitPath(path);
    const methods = this.routes
      .filter((route) => route.segments.length === segments.length && route.segments.every(matches(segments)))
      .flatMap((route) => [...route.methods]);
    return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
  }

  private add(methods: readonly string[], url: string): void {
    if (url.includes('*')) return;
    this.routes.push({ segments: splitPath(url), methods: new Set(methods) });
  }
}

/** Splits a path. As in the router, a trailing slash makes another path. */
function splitPath(path: string): string[] {
  return path.split('/').slice(1);
}

function matches(segments: readonly string[]) {
  return (pattern: string, index: number) =>
    pattern.startsWith(':') ? segments[index] !== '' : pattern === segments[index];
}

/** Limit of the stored User-Agent, in characters. Browsers send shorter ones. */
const MAX_USER_AGENT = 512;

/** Sets the context of every request, and X-Request-Id and Cache-Control of every response. */
export function registerRequestContext(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (!request.routeOptions.url?.startsWith('/docs')) void reply.header('cache-control', 'no-store');
    runInContext(buildContext(request), done);
  });
}

/** Rejects HTTP/1.1 requests without exactly one Host header. @see RFC 9112 section 3.2 */
export function registerProtocolChecks(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    const hosts = raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
    if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return done();
    done(new AppError('request.malformed', { detail: 'Send exactly one Host header.' }));
  });
}

/** Rejects unknown paths, wrong methods and unreadable URLs before the body is read. */
export function registerRequestChecks(fastify: FastifyInstance, routes: RouteTable): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const methods = routes.listMethods(request.url.split('?', 1)[0] ?? '');
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

function buildContext(request: FastifyRequest): RequestContext {
  return {
    requestId: request.id,
    ip: normalizeAddress(request.ip) ?? normalizeAddress(request.socket.remoteAddress),
    userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    operation: `${request.method} ${request.routeOptions.url ?? '-'}`,
  };
}

/** One range of an Accept header: `application/*;q=0.5`. */
const MEDIA_RANGE = /^\s*([\w!#$&^.+*-]+)\/([\w!#$&^.+*-]+)\s*(?:;(.*))?$/;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The media types of `@ServesTypes`. */
    servedTypes?: readonly string[];
  }
}

/** Allows the Accept header text/event-stream: the route serves an event stream too. */
export function ServesEvents(): MethodDecorator {
  return ServesTypes('text/event-stream');
}

/** Allows these media types in the Accept header besides JSON. */
export function ServesTypes(...types: readonly string[]): MethodDecorator {
  return RouteConfig({ servedTypes: types } satisfies FastifyContextConfig);
}

/**
 * Reads the body as bytes of any media type: `@Body() body: Buffer`. Allows these media types in the Accept header. Of
 * several decorators that set a route's configuration, only the first counts.
 */
export function ReadsBytes(...servedTypes: readonly string[]): MethodDecorator {
  return RouteConfig({ readsBytes: true, servedTypes } satisfies FastifyContextConfig);
}

/**
 * Rejects requests of the API whose Accept header allows no media type of the route. Pages (dashboard, documentation,
 * links in emails) ignore the header.
 */
export function registerAccept(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { accept } = request.headers;
    if (accept === undefined || !isApi(request) || accepts(accept, listResponseTypes(request))) return done();
    done(
      new AppError('request.not_acceptable', {
        detail: `This route serves ${listResponseTypes(request).join(' or ')}.`,
      }),
    );
  });
}

/**
 * Returns whether an Accept header allows one of the types. An empty header allows all. @see RFC 9110 section 12.5.1
 */
export function accepts(header: string, types: readonly string[]): boolean {
  const ranges = header.split(',').flatMap((part) => {
    const [, type, subtype, parameters = ''] = MEDIA_RANGE.exec(part) ?? [];
    if (type === undefined || subtype === undefined) return [];
    return [
      { range: `${type}/${subtype}`.toLowerCase(), isRefused: /(?:^|;)\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(parameters) },
    ];
  });
  return ranges.length === 0 || types.some((type) => acceptsType(ranges, type));
}

/** Applies the most specific range that covers the type. */
function acceptsType(ranges: readonly { range: string; isRefused: boolean }[], type: string): boolean {
  const covering = [type, `${type.split('/', 1)[0]}/*`, '*/*'];
  const best = covering
    .map((range) => ranges.find((given) => given.range === range))
    .find((given) => given !== undefined);
  return best !== undefined && !best.isRefused;
}

function isApi({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.access !== undefined && (routeOptions.url ?? '').startsWith('/v1/');
}

function listResponseTypes({ routeOptions }: FastifyRequest): string[] {
  return ['application/json', 'application/problem+json', ...(routeOptions.config.servedTypes ?? [])];
}

/** Policy of API responses: a browser that displays one loads nothing and runs nothing. */
const API_POLICY = { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } };

/** Policy of pages: nothing from other origins. Swagger UI and the small pages have an inline style element. */
const PAGE_POLICY = {
  useDefaults: false,
  directives: {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:'],
    'font-src': ["'self'"],
    'connect-src': ["'self'"],
    'form-action': ["'self'"],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"],
  },
};

/** Routes that serve HTML. The dashboard has its own policy. */
const PAGES = /^\/(?:docs(?:\/.*)?|verify-email|reset-password|)$/;

/**
 * Adds the security headers to every response; HSTS only where the API is reached by https. Helmet builds them once:
 * per request they cost 5 % of its CPU time.
 */
export function registerSecurityHeaders(fastify: FastifyInstance, config: Config): void {
  const strictTransportSecurity = config.http.publicUrl.startsWith('https:') ? { maxAge: 31_536_000 } : false;
  const headersWith = (contentSecurityPolicy: HelmetOptions['contentSecurityPolicy']): Record<string, string> =>
    buildHelmetHeaders({ contentSecurityPolicy, strictTransportSecurity, xFrameOptions: { action: 'deny' } });
  const forPages = headersWith(PAGE_POLICY);
  const forApi = headersWith(API_POLICY);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(PAGES.test(request.routeOptions.url ?? '') ? forPages : forApi);
    done();
  });
}

/** Returns the headers that helmet sets on a response. */
function buildHelmetHeaders(options: HelmetOptions): Record<string, string> {
  const answer = new ServerResponse(new IncomingMessage(new Socket()));
  helmet(options)(answer.req, answer, (error?: unknown) => {
    if (error instanceof Error) throw error;
  });
  return Object.fromEntries(Object.entries(answer.getHeaders()).map(([name, value]) => [name, String(value)]));
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, X-Request-Id';
const EXPOSED_HEADERS = 'ETag, Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-Id';
const PREFLIGHT_SECONDS = '600';

/** A page that a developer serves on their machine, on any port. */
const LOCAL_ORIGIN = /^http:\/\/localhost(?::\d{1,5})?$/;

/**
 * Allows browsers of the configured origins to call the API; in development also pages of http://localhost. Cookies are
 * not allowed: access tokens are sent in a header.
 * @fastify/cors would add an OPTIONS route for every path, which changes the 404 and 405 of unknown ones.
 * @see the CORS protocol in https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function registerCors(fastify: FastifyInstance, { corsOrigins, allowsLocalOrigins }: Config['http']): void {
  if (corsOrigins.length === 0 && !allowsLocalOrigins) return;
  const isAllowed = (origin: string): boolean =>
    corsOrigins.includes(origin) || (allowsLocalOrigins && LOCAL_ORIGIN.test(origin));
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !isAllowed(origin)) return done();
    void reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', EXPOSED_HEADERS);
    if (request.method !== 'OPTIONS' || !request.headers['access-control-request-method']) return done();
    void reply
      .header('access-control-allow-methods', METHODS)
      .header('access-control-allow-headers', REQUEST_HEADERS)
      .header('access-control-max-age', PREFLIGHT_SECONDS)
      .status(204)
      .send();
  });
}

/** A smaller body fits into one packet without compression. */
const THRESHOLD_BYTES = 1_024;

/** Compressed media types. Event streams would be delayed; images are already compressed. */
const TYPES = /^(?:text\/(?:html|css|javascript|plain)|application\/(?:json|problem\+json|javascript))(?:;|$)/;

/**
 * Routes that are not compressed. Responses with secrets (tokens, codes, webhook secrets) and the pages of the
 * dashboard: the length of a compressed response reveals its content (BREACH). The export: it is streamed.
 */
const UNCOMPRESSED = /^\/(?:v1\/(?:auth|tokens|webhooks|dev|users\/me\/export)|admin)(?:\/|$)/;

/** Compresses responses by br or gzip for clients that accept it. Request bodies are never decompressed. */
export function registerCompression(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (UNCOMPRESSED.test(route.url)) route.compress = false;
  });
  const options = { encodings: ['br', 'gzip'] as ('br' | 'gzip')[], threshold: THRESHOLD_BYTES, customTypes: TYPES };
  // Called instead of registered: a registered plugin would load after the first routes and miss them.
  compress(fastify, { ...options, globalDecompression: false }, (error) => {
    if (error) throw error;
  });
}
