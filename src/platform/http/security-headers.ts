import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config';

/** The pages we serve load nothing from elsewhere; Swagger UI's page has a style element of its own. */
const CONTENT_SECURITY_POLICY = {
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

/** Adds the security headers of every answer; HSTS only where the API is reached by https. */
export function registerSecurityHeaders(fastify: FastifyInstance, config: Config): void {
  const strictTransportSecurity = config.http.publicUrl.startsWith('https:') ? { maxAge: 31_536_000 } : false;
  void fastify.register(helmet, {
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    strictTransportSecurity,
    xFrameOptions: { action: 'deny' },
  });
}
