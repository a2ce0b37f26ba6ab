import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FairSemaphore } from '../../concurrency/fair-semaphore';
import type { Config } from '../../config/config';
import { bodyTooLarge } from './body-parsers';
import { resolveLevel, type Authenticator } from '../access/access';
import { identifyCaller } from '../access/rate-limiter.service';

/** Bodies up to this size need no slot: the rate limit and the limit of connections suffice. */
const SMALL_BYTES = 65_536;

/** Largest body of a request without an access token. */
const PUBLIC_BYTES = 65_536;

/**
 * Decides whether a body is read, before its first byte. A route that is not public needs a genuine access token; the
 * guard checks its session and role later. A public route takes small bodies only. Large bodies are limited per process
 * and per caller. `100 Continue` is sent after these checks.
 */
export function registerAdmission(
  fastify: FastifyInstance,
  config: Config,
  authenticator: Authenticator | undefined,
): void {
  const slots = new FairSemaphore<string>({
    resource: 'large bodies',
    perKey: config.limits.largeBodiesPerCaller,
    total: config.limits.largeBodies,
    maxWaiting: 0,
  });
  fastify.addHook('onRoute', (route) => {
    if (route.config?.access?.level === 'public') route.bodyLimit ??= Math.min(PUBLIC_BYTES, config.limits.bodyBytes);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    try {
      const { access } = request.routeOptions.config;
      if (access && resolveLevel(access, config.isProduction) !== 'public') authenticator?.assertToken(request);
      if (isSmall(request)) return done();
    } catch (error) {
      return done(error as Error);
    }
    slots.acquire(identifyCaller(request, authenticator)).then((release) => {
      // The client may have gone already; 'close' is not emitted again.
      if (request.raw.destroyed) release();
      else request.raw.once('close', release);
      done();
    }, done);
  });
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    if (request.headers.expect !== undefined) reply.raw.writeContinue();
    done(null, payload);
  });
}

/** @throws AppError `request.body_too_large` when Content-Length exceeds the limit of the route */
function isSmall({ headers, routeOptions }: FastifyRequest): boolean {
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined;
  if (Number(length) > routeOptions.bodyLimit && !routeOptions.config.streamTypes)
    throw bodyTooLarge(routeOptions.bodyLimit);
  return Number(length) <= SMALL_BYTES;
}
