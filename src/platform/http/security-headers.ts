import type { FastifyInstance } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Config } from '../config/config';

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
    headersOf({ contentSecurityPolicy, strictTransportSecurity, xFrameOptions: { action: 'deny' } });
  const forPages = headersWith(PAGE_POLICY);
  const forApi = headersWith(API_POLICY);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(PAGES.test(request.routeOptions.url ?? '') ? forPages : forApi);
    done();
  });
}

/** What helmet would set on an answer. */
function headersOf(options: HelmetOptions): Record<string, string> {
  const answer = new ServerResponse(new IncomingMessage(new Socket()));
  helmet(options)(answer.req, answer, (error?: unknown) => {
    if (error instanceof Error) throw error;
  });
  return Object.fromEntries(Object.entries(answer.getHeaders()).map(([name, value]) => [name, String(value)]));
}
