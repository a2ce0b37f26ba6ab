import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { AppError } from '../../errors/app-error';
import { parseStrictJson } from '../validation/strict-json';

/** Media types that only `@LargeBody` routes accept, as a stream. */
const STREAM_TYPES = ['application/x-ndjson', 'text/csv'] as const;
type StreamType = (typeof STREAM_TYPES)[number] | 'application/json';

type ContentTypeParser = (
  request: FastifyRequest,
  payload: Readable,
  done: (error: Error | null, body?: Buffer) => void,
) => void;

/** Both types are read as a merge patch by PATCH. */
const JSON_TYPES: readonly string[] = ['application/json', 'application/merge-patch+json'];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The media types of `@LargeBody`. */
    streamTypes?: readonly StreamType[];
    /** True for routes of `@ReadsBytes`. */
    readsBytes?: boolean;
  }
}

/**
 * Limits the route to these media types. Its body is a `Readable` of at most IMPORT_LIMIT_BYTES, which fails with
 * AppError `request.body_too_large` above the limit.
 */
export function LargeBody(...streamTypes: StreamType[]): MethodDecorator {
  return RouteConfig({ streamTypes } satisfies FastifyContextConfig);
}

/** Returns whether the body of this request is a stream. */
export function isStreamed({ headers, routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.streamTypes?.some((type) => type === parseMediaType(headers['content-type'])) ?? false;
}

/**
 * Replaces Fastify's body parsers: strict JSON up to the limit of the route, streams for `@LargeBody` routes, 415 for
 * other types. A body that is rejected for its headers is not read.
 */
export function registerBodyParsers(fastify: FastifyInstance, importBytes: number): void {
  fastify.removeAllContentTypeParsers();
  const readBytes: ContentTypeParser = (request, payload, done) => {
    if (isCompressed(request)) done(unsupportedMediaType(request, UNCOMPRESSED));
    else readWhole(payload, request.routeOptions.bodyLimit, done);
  };
  fastify.addContentTypeParser([...JSON_TYPES, ...STREAM_TYPES], (request, payload, done) => {
    try {
      const { config, bodyLimit } = request.routeOptions;
      if (config.readsBytes) return readBytes(request, payload, done);
      assertReadable(request);
      const maxBytes = config.streamTypes ? importBytes : bodyLimit;
      if (Number(request.headers['content-length']) > maxBytes) throw bodyTooLarge(maxBytes);
      if (config.streamTypes) return done(null, limitBytes(payload, maxBytes));
      readWhole(payload, maxBytes, (error, body) => {
        if (error) return done(error);
        try {
          done(null, parseStrictJson(body));
        } catch (error) {
          done(error as Error);
        }
      });
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addContentTypeParser('*', (request, payload, done) => {
    if (request.routeOptions.config.readsBytes) readBytes(request, payload, done);
    else done(unsupportedMediaType(request));
  });
}

/** @throws AppError `request.media_type_unsupported` for another media type, a compressed body or another charset */
function assertReadable(request: FastifyRequest): void {
  const { headers } = request;
  if (!listBodyTypes(request).includes(parseMediaType(headers['content-type']))) throw unsupportedMediaType(request);
  if (isCompressed(request)) throw unsupportedMediaType(request, UNCOMPRESSED);
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  // Every US-ASCII text is a UTF-8 text. RFC 3629 section 1
  if (!/^(utf-?8|us-ascii)$/i.test(charset))
    throw unsupportedMediaType(request, 'Save the text as UTF-8 and send that.');
}

const UNCOMPRESSED = 'Send the body without compression.';

function isCompressed({ headers }: FastifyRequest): boolean {
  return (headers['content-encoding']?.trim().toLowerCase() ?? 'identity') !== 'identity';
}

/** Returns the error for a wrong media type. Lists the types of the route, also in Accept-Post or Accept-Patch. */
export function unsupportedMediaType(request: FastifyRequest, remedy?: string): AppError {
  const types = listBodyTypes(request).join(', ');
  const header = { POST: 'accept-post', PATCH: 'accept-patch' }[request.method];
  return new AppError('request.media_type_unsupported', {
    detail: remedy ?? `Send ${types}.`,
    headers: header === undefined ? {} : { [header]: types },
  });
}

/** Returns the error for a body above `maxBytes`. */
export function bodyTooLarge(maxBytes: number): AppError {
  const isWhole = maxBytes % MEBIBYTE === 0;
  const limit = isWhole ? `${maxBytes / MEBIBYTE} MiB` : `${maxBytes.toLocaleString('en')} bytes`;
  return new AppError('request.body_too_large', { detail: `The body exceeds the limit of ${limit}.` });
}

const MEBIBYTE = 1_048_576;
const INCOMPLETE_BODY = 'The body is incomplete: the connection broke off.';

function listBodyTypes({ routeOptions }: FastifyRequest): readonly string[] {
  return routeOptions.config.streamTypes ?? JSON_TYPES;
}

function parseMediaType(contentType: string | undefined): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Reads a whole body; stops at the limit. */
function readWhole(payload: Readable, maxBytes: number, done: (error: Error | null, body: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isDone = false;
  const finish = (error: Error | null): void => {
    if (isDone) return;
    isDone = true;
    done(error, Buffer.concat(chunks));
    chunks = [];
  };
  payload.on('data', (chunk: Buffer) => {
    if (isDone) return;
    bytes += chunk.length;
    if (bytes > maxBytes) finish(bodyTooLarge(maxBytes));
    else chunks.push(chunk);
  });
  payload.on('end', () => finish(null));
  payload.on('error', (cause) => finish(new AppError('request.malformed', { detail: INCOMPLETE_BODY, cause })));
}

function limitBytes(payload: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      bytes += chunk.length;
      if (bytes > maxBytes) callback(bodyTooLarge(maxBytes));
      else callback(null, chunk);
    },
  });
  // It may fail before the route reads it. Without a listener the error would end the process.
  limiter.on('error', () => undefined);
  // A connection that breaks off must not look like the end of the file.
  payload.on('error', (error) => limiter.destroy(error));
  payload.on('close', () => {
    if (!payload.readableEnded) limiter.destroy(new AppError('request.malformed', { detail: INCOMPLETE_BODY }));
  });
  return payload.pipe(limiter);
}
