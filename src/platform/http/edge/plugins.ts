import { type FastifyInstance } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Config } from '../../config/config';
import compress from '@fastify/compress';

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
