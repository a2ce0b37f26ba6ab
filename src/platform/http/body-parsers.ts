import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { AppError } from '../errors/app-error';
import { parseStrictJson } from './strict-json';

/** Media types that only routes made for them take, as a stream. */
const STREAM_TYPES = ['application/x-ndjson', 'text/csv'] as const;
type StreamType = (typeof STREAM_TYPES)[number] | 'application/json';

/** PATCH is a merge patch, named so or not. */
const JSON_TYPES = ['application/json', 'application/merge-patch+json'];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What `@LargeBody` tells the parsers. */
    streamTypes?: readonly StreamType[];
  }
}

/**
 * Raises the route's body limit from BODY_LIMIT_BYTES to IMPORT_LIMIT_BYTES, and gives it the body of these media types
 * as a `Readable` of unread bytes, which fails with AppError `request.body_too_large` beyond the limit.
 */
export function LargeBody(...streamTypes: StreamType[]): MethodDecorator {
  return RouteConfig({ streamTypes } satisfies FastifyContextConfig);
}

/** Whether the body of this request comes as a stream. */
export function isStreamed(request: FastifyRequest): boolean {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return streamTypesOf(request).some((streamType) => streamType === type);
}

/** Replaces Fastify's body parsers by ours: strict JSON everywhere, streams where a route asks for them, else 415. */
export function registerBodyParsers(fastify: FastifyInstance, importBytes: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addHook('onRoute', (route) => {
    if ((route.config)?.streamTypes) route.bodyLimit = importBytes;
  });
  fastify.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      assertPlainUtf8(request);
      done(null, isStreamed(request) ? Readable.from([body as Buffer]) : parseStrictJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addContentTypeParser([...STREAM_TYPES], (request, payload, done) => {
    try {
      assertPlainUtf8(request);
      if (!isStreamed(request)) throw new AppError('request.media_type_unsupported');
      if (Number(request.headers['content-length']) > importBytes) throw new AppError('request.body_too_large');
      done(null, limited(payload, importBytes));
    } catch (error) {
      done(error as Error);
    }
  });
}

function streamTypesOf(request: FastifyRequest): readonly StreamType[] {
  return request.routeOptions.config.streamTypes ?? [];
}

/** @throws AppError `request.media_type_unsupported` for a compressed body or another charset */
function assertPlainUtf8({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  // Every US-ASCII text is a UTF-8 text. RFC 3629 section 1
  if (encoding === 'identity' && /^(utf-?8|us-ascii)$/i.test(charset)) return;
  throw new AppError('request.media_type_unsupported', { detail: 'send the body as plain UTF-8' });
}

function limited(payload: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      bytes += chunk.length;
      if (bytes > maxBytes) callback(new AppError('request.body_too_large'));
      else callback(null, chunk);
    },
  });
  // A client that goes away half way must not look like the end of its file.
  payload.on('error', (error) => limiter.destroy(error));
  payload.on('close', () => {
    if (!payload.readableEnded) limiter.destroy(new AppError('request.malformed', { detail: 'the body broke off' }));
  });
  return payload.pipe(limiter);
}
