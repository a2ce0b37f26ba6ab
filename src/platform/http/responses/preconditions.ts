import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error';

/** The timeline of PostgreSQL; 1 until its first failover. */
let timeline = 1;

/**
 * Sets the timeline of PostgreSQL. From the second one on it is a part of each ETag: a failover may have lost changes,
 * and the next ones get their version numbers again. So an ETag from before matches nothing after it.
 */
export function setTimeline(number: number): void {
  timeline = number;
}

/** Returns the text of the ETag of a version. */
function toTag(version: number): string {
  return timeline === 1 ? String(version) : `${version}.${timeline}`;
}

/** An ETag of a header. */
interface EntityTag {
  readonly isWeak: boolean;
  /** The text between the quotes. */
  readonly value: string;
}

/** @see RFC 9110 section 8.8.3 */
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** Returns whether the header is `*`, which any existing resource matches. */
function isAny(header: string): boolean {
  return header.trim() === '*';
}

/** Returns whether the list has this ETag by strong comparison. @see RFC 9110 section 8.8.3.2 */
function listsStrongly(header: string, value: string): boolean {
  return parseTags(header).some((tag) => !tag.isWeak && tag.value === value);
}

/** Returns whether the list has this ETag by weak comparison: `W/"3"` equals `"3"`. */
function listsWeakly(header: string, value: string): boolean {
  return parseTags(header).some((tag) => tag.value === value);
}

/** Returns whether the header is `*` or has an ETag. */
function hasTags(header: string): boolean {
  return isAny(header) || parseTags(header).length > 0;
}

function parseTags(header: string): EntityTag[] {
  return [...header.matchAll(ENTITY_TAG)].map(([, weak, value = '']) => ({ isWeak: weak !== undefined, value }));
}

/** If-Match and If-None-Match of a request. */
export interface Preconditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

/**
 * Injects If-Match and If-None-Match of the request; undefined without either. Pass them to `assertVersion`.
 * @see RFC 9110 section 13
 */
export const IfMatch = createParamDecorator<void, Preconditions | undefined>(
  (_, context: ExecutionContext) => readPreconditions(context.switchToHttp().getRequest<FastifyRequest>().headers),
  [documentHeaders],
);

function documentHeaders(target: object, handler: string | symbol | undefined): void {
  const descriptor = handler === undefined ? undefined : Object.getOwnPropertyDescriptor(target, handler);
  if (handler === undefined || !descriptor) return;
  ApiHeader({
    name: 'If-None-Match',
    required: false,
    description:
      'ETags that the resource must not have, or `*`. If it has one of them, the answer is 412 and nothing changes.',
    schema: { type: 'string', example: '"2"' },
  })(target, handler, descriptor);
  ApiHeader({
    name: 'If-Match',
    required: false,
    description:
      'ETags of the version to change. If the resource has another version, the answer is 412 and nothing changes.',
    schema: { type: 'string', example: '"3"' },
  })(target, handler, descriptor);
}

/** Returns the preconditions of these headers; undefined without any. */
export function readPreconditions(headers: FastifyRequest['headers']): Preconditions | undefined {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch };
}

/**
 * Rejects a change whose preconditions the current version does not meet. If-Match is checked first. Version 0 means
 * that the resource is not stored yet; `*` does not match it.
 * @throws AppError `precondition.failed`
 * @see RFC 9110 section 13.2.2
 */
export function assertVersion(current: { readonly version: number }, preconditions: Preconditions | undefined): void {
  assertMatches(current, preconditions);
  const { ifNoneMatch } = preconditions ?? {};
  if (ifNoneMatch === undefined || !matchesAny(current, ifNoneMatch)) return;
  throw preconditionFailed(`If-None-Match has the current ETag "${toTag(current.version)}". Nothing was changed.`);
}

/**
 * Rejects a request whose If-Match does not list the version.
 * @throws AppError `precondition.failed`
 */
function assertMatches({ version }: { readonly version: number }, preconditions: Preconditions | undefined): void {
  const { ifMatch } = preconditions ?? {};
  if (ifMatch === undefined || (isAny(ifMatch) ? version > 0 : listsStrongly(ifMatch, toTag(version)))) return;
  throw preconditionFailed(
    hasTags(ifMatch)
      ? `The ETag is now "${toTag(version)}". Read the resource again and repeat the change with that If-Match.`
      : `If-Match must list ETags in double quotes. The ETag is now "${toTag(version)}".`,
  );
}

/** Returns whether If-None-Match lists this version. */
export function matchesAny({ version }: { readonly version: number }, ifNoneMatch: string): boolean {
  return isAny(ifNoneMatch) ? version > 0 : listsWeakly(ifNoneMatch, toTag(version));
}

function preconditionFailed(detail: string): AppError {
  return new AppError('precondition.failed', { detail });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The path of `@LocationAt`. */
    locationAt?: string;
    /** True for routes marked by `@Unconditional`. */
    isUnconditional?: boolean;
  }
}

/**
 * Sets the Location of a 202 response.
 * @param path of the resource that shows the progress, with parameters of the route: `/v1/webhooks/:id/deliveries`
 */
export function LocationAt(path: string): MethodDecorator {
  return RouteConfig({ locationAt: path } satisfies FastifyContextConfig);
}

/**
 * Marks a GET that changes something. Its preconditions are ignored.
 * @see RFC 9110 section 13.2.1
 */
export function Unconditional(): MethodDecorator {
  return RouteConfig({ isUnconditional: true } satisfies FastifyContextConfig);
}

/**
 * Adds the headers of single resources. A body with a `version` gets an ETag; a read is 304 or 412 by its
 * preconditions. A created body with an `id` gets the Location `<path of the list>/<id>`, unless the handler set one; a
 * 202 gets that of `@LocationAt`. Resources with an id and an ETag are `private, no-cache`; other responses are
 * `no-store`. These are hooks: an interceptor would cost every request several promises and observables.
 * @see RFC 9110 sections 13 and 15.3.2
 */
export function registerResourceHeaders(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, body, done) => {
    try {
      setEntityTag(body, request, reply);
      setLocation(body, request, reply);
      done(null, body);
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode !== 304) return done(null, payload);
    void reply.removeHeader('content-type');
    // For HEAD Fastify removes the body itself, after it has read its length.
    done(null, request.method === 'HEAD' ? payload : null);
  });
}

function setEntityTag(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const version = readNumber(body, 'version');
  if (version === undefined) return;
  void reply.header('etag', `"${toTag(version)}"`);
  // A change has checked its preconditions already.
  if ((request.method !== 'GET' && request.method !== 'HEAD') || request.routeOptions.config.isUnconditional) return;
  const preconditions = readPreconditions(request.headers);
  assertMatches({ version }, preconditions);
  const { ifNoneMatch } = preconditions ?? {};
  if (hasPathParameter(request)) void reply.header('cache-control', 'private, no-cache');
  if (ifNoneMatch !== undefined && matchesAny({ version }, ifNoneMatch)) void reply.status(304);
}

/**
 * Returns whether the path has the id of the row, which no two tenants share. `/v1/profile` differs by user: in a
 * shared browser a 304 could show one user the profile of another.
 */
function hasPathParameter({ params }: FastifyRequest): boolean {
  return Object.keys(params as object).length > 0;
}

function setLocation(body: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { locationAt } = request.routeOptions.config;
  if (reply.statusCode === 202 && locationAt !== undefined) {
    const params = request.params as Readonly<Record<string, string>>;
    void reply.header(
      'location',
      locationAt.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? '')),
    );
  }
  if (reply.statusCode !== 201 || reply.hasHeader('location')) return;
  const id = readNumber(body, 'id');
  if (id === undefined) return;
  const path = request.url.split('?', 1)[0]?.replace(/(?<!\/)\/+$/, '');
  void reply.header('location', `${path}/${id}`);
}

function readNumber(body: unknown, property: 'id' | 'version'): number | undefined {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[property] : undefined;
  return typeof value === 'number' ? value : undefined;
}
