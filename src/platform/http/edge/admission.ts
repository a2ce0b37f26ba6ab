import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FairSemaphore } from '../../concurrency/fair-semaphore';
import type { Config } from '../../config/config';
import { bodyTooLarge } from './body-parsers';
import { resolveLevel } from '../access/access';
import type { Authenticator } from '../access/authenticator';
import { identifyCaller } from '../access/rate-limiter.service';

/** Bodies up to this size need no place: the general limit and the connections bound them. */
const SMALL_BYTES = 65_536;

/** Largest body that somebody without an access token may send. */
const PUBLIC_BYTES = 65_536;

/**
 * Decides before a byte of a body is read whether it will be: a route that is not public asks for a genuine access token
 * (the guard still asks for its session and role), a public one takes small bodies only, and a process receives a bounded
 * number of large bodies at once, of which each caller has a share. A client that waits for `100 Continue` gets it last.
 */
export function registerAdmission(
  fastify: FastifyInstance,
  config: Config,
  authenticator: Authenticator | undefined,
): void {
  const places = new FairSemaphore<string>({
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
    places.acquire(identifyCaller(request, authenticator)).then((release) => {
      // The client may be gone already, and with it the event.
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

/** @throws AppError `request.body_too_large` for a body that says it is larger than any of its route */
function isSmall({ headers, routeOptions }: FastifyRequest): boolean {
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined;
  if (Number(length) > routeOptions.bodyLimit && !routeOptions.config.streamTypes)
    throw bodyTooLarge(routeOptions.bodyLimit);
  return Number(length) <= SMALL_BYTES;
}
