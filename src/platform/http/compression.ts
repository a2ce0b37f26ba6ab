import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';

/** Below this a body fits into one packet either way. */
const THRESHOLD_BYTES = 1_024;

/** Documents, lists and pages; an event stream would be held back, an image is compressed already. */
const TYPES = /^(?:text\/(?:html|css|javascript|plain)|application\/(?:json|problem\+json|javascript))(?:;|$)/;

/**
 * Routes whose answers hold secrets: tokens, codes, a webhook's secret. Their length would tell something of the secret
 * beside what a caller put in (BREACH), so they are sent as they are. So is the export, which is written as it is read.
 * The dashboard has cookies, so its pages are left out too.
 */
const AS_IT_IS = /^\/(?:v1\/(?:auth|tokens|webhooks|dev|users\/me\/export)|admin)(?:\/|$)/;

/** Compresses answers by br or gzip for clients that take them. Bodies of requests are never decompressed. */
export function registerCompression(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (AS_IT_IS.test(route.url)) route.compress = false;
  });
  const options = { encodings: ['br', 'gzip'] as ('br' | 'gzip')[], threshold: THRESHOLD_BYTES, customTypes: TYPES };
  // Called and not registered: a plugin is loaded later than the first routes, which it would then not see.
  compress(fastify, { ...options, globalDecompression: false }, (error) => {
    if (error) throw error;
  });
}
