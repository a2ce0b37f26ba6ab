import { type FastifyInstance } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Config } from '../../config/config';
import compress from '@fastify/compress';

/** An answer of the API is no page: a browser that shows one loads nothing and runs nothing. */
const API_POLICY = { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } };

/** The pages we serve load nothing from elsewhere; Swagger UI's page and the small ones have a style element of their own. */
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

/** Routes that answer HTML for a browser; the dashboard has a policy of its own. */
const PAGES = /^\/(?:docs(?:\/.*)?|verify-email|reset-password|)$/;

/**
 * Adds the security headers of every answer; HSTS only where the API is reached by https. Helmet makes
 * them once: made for each request they cost it a twentieth of its CPU time.
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

/** What helmet would set on an answer. */
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

/**
 * Lets browsers of these origins call the API; access tokens travel in a header, so no cookie is ever allowed along.
 * @see the CORS protocol in https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function registerCors(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !origins.includes(origin)) return done();
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

/** Below this a body fits into one packet either way. */
const THRESHOLD_BYTES = 1_024;

/** Documents, lists and pages; an event stream would be held back, an image is compressed already. */
const TYPES = /^(?:text\/(?:html|css|javascript|plain)|application\/(?:json|problem\+json|javascript))(?:;|$)/;

/**
 * Routes whose answers hold secrets: tokens, codes, a webhook's secret. Their length would tell something of the secret
 * beside what a caller put in (BREACH), so they are sent as they are. So is the export, which is written as it is read.
 * The dashboard has cookies, so its pages are left out too.
 */
const UNCOMPRESSED = /^\/(?:v1\/(?:auth|tokens|webhooks|dev|users\/me\/export)|admin)(?:\/|$)/;

/** Compresses answers by br or gzip for clients that take them. Bodies of requests are never decompressed. */
export function registerCompression(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (UNCOMPRESSED.test(route.url)) route.compress = false;
  });
  const options = { encodings: ['br', 'gzip'] as ('br' | 'gzip')[], threshold: THRESHOLD_BYTES, customTypes: TYPES };
  // Called and not registered: a plugin is loaded later than the first routes, which it would then not see.
  compress(fastify, { ...options, globalDecompression: false }, (error) => {
    if (error) throw error;
  });
}
