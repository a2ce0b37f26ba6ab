import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error';

/** One range of an Accept header: `application/*;q=0.5`. */
const MEDIA_RANGE = /^\s*([\w!#$&^.+*-]+)\/([\w!#$&^.+*-]+)\s*(?:;(.*))?$/;

/** Routes of /v1 that answer something else than JSON, besides. */
const EVENTS = /^\/v1\/ai\/generations(?:\/:id\/stream)?$/;

/**
 * Refuses a request for a representation that no route of the API has, before it does anything. Pages (the dashboard, the
 * documentation, mailed links) are sent with every header.
 */
export function registerAccept(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { accept } = request.headers;
    if (accept === undefined || !isApi(request) || accepts(accept, typesOf(request))) return done();
    done(new AppError('request.not_acceptable', { detail: `This route answers ${typesOf(request).join(' or ')}.` }));
  });
}

/** Returns whether an Accept header takes one of the types. An empty header takes all. @see RFC 9110 section 12.5.1 */
export function accepts(header: string, types: readonly string[]): boolean {
  const ranges = header.split(',').flatMap((part) => {
    const [, type, subtype, parameters = ''] = MEDIA_RANGE.exec(part) ?? [];
    if (type === undefined || subtype === undefined) return [];
    return [
      { range: `${type}/${subtype}`.toLowerCase(), isRefused: /(?:^|;)\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(parameters) },
    ];
  });
  return ranges.length === 0 || types.some((type) => takes(ranges, type));
}

/** The most specific range that covers the type decides. */
function takes(ranges: readonly { range: string; isRefused: boolean }[], type: string): boolean {
  const covering = [type, `${type.split('/', 1)[0]}/*`, '*/*'];
  const best = covering
    .map((range) => ranges.find((given) => given.range === range))
    .find((given) => given !== undefined);
  return best !== undefined && !best.isRefused;
}

function isApi({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.access !== undefined && (routeOptions.url ?? '').startsWith('/v1/');
}

function typesOf({ routeOptions }: FastifyRequest): string[] {
  const types = ['application/json', 'application/problem+json'];
  return EVENTS.test(routeOptions.url ?? '') ? [...types, 'text/event-stream'] : types;
}
