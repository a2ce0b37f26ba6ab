import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticator } from './authenticator';
import { networkOf, normaliseAddress } from './client-address';
import type { RateLimiter } from './rate-limiter';

/** Probes and scrapes must get through when everything else is too much. */
const UNLIMITED = /^\/(health|metrics)(\/|$)/;

/**
 * Counts every request before its body is read, wrong routes and unreadable bodies included, and puts the limit's
 * headers on its answer, whatever that will be. A user counts as himself wherever he comes from.
 */
export function registerRateLimit(
  fastify: FastifyInstance,
  limiter: RateLimiter,
  authenticator: Authenticator | undefined,
): void {
  fastify.addHook('onRequest', async (request, reply) => {
    if (UNLIMITED.test(request.routeOptions.url ?? '')) return;
    const headers = await limiter.take(subjectOf(request, authenticator));
    if (headers) void reply.headers({ ...headers });
  });
}

/** Returns whom a request counts for: its user if the access token is genuine, else its address. */
export function subjectOf(request: FastifyRequest, authenticator: Authenticator | undefined): string {
  const userId = authenticator?.subjectOf(request);
  return userId === undefined ? `ip:${networkOf(normaliseAddress(request.ip))}` : `user:${userId}`;
}
