import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../../config/config';

/** The shortest time between two warnings: any client can send the header. */
const INTERVAL_MS = 3_600_000;

/**
 * Warns in production about requests with X-Forwarded-For from an address outside of TRUSTED_PROXIES. Behind a proxy
 * that is not trusted, all users count as one address: they share its limits, and a few wrong passwords of one lock
 * out all.
 */
export function registerProxyWarning(fastify: FastifyInstance, { isProduction }: Config, logger: Logger): void {
  if (!isProduction) return;
  let silentUntil = 0;
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (Date.now() >= silentUntil && isForwardedByUntrusted(request)) {
      silentUntil = Date.now() + INTERVAL_MS;
      const peer = request.socket.remoteAddress;
      logger.warn(
        { peer },
        `X-Forwarded-For from ${peer} is ignored. If this is your proxy, add it to TRUSTED_PROXIES: until then ` +
          'all of its users share the limits of one address.',
      );
    }
    done();
  });
}

/** Fastify lists the addresses behind the sender only when it trusts the sender. */
function isForwardedByUntrusted({ headers, ips }: FastifyRequest): boolean {
  return headers['x-forwarded-for'] !== undefined && (ips?.length ?? 1) < 2;
}
