import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error';

/** One ETag of a header. */
interface EntityTag {
  readonly isWeak: boolean;
  /** What is between the quotes. */
  readonly value: string;
}

/** @see RFC 9110 section 8.8.3 */
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** Returns whether the header is `*`, which any existing resource matches. */
export function isAny(header: string): boolean {
  return header.trim() === '*';
}

/** Returns whether the list of ETags holds one that is strongly the same: neither is weak. @see RFC 9110 section 8.8.3.2 */
export function listsStrongly(header: string, value: string): boolean {
  return parseTags(header).some((tag) => !tag.isWeak && tag.value === value);
}

/** Returns whether the list of ETags holds one that is weakly the same: `W/"3"` is `"3"`. */
export function listsWeakly(header: string, value: string): boolean {
  return parseTags(header).some((tag) => tag.value === value);
}

/** Returns whether the header holds an ETag at all. */
export function hasTags(header: string): boolean {
  return isAny(header) || parseTags(header).length > 0;
}

function parseTags(header: string): EntityTag[] {
  return [...header.matchAll(ENTITY_TAG)].map(([, weak, value = '']) => ({ isWeak: weak !== undefined, value }));
}

/** What a request asks of the version it is meant for: its If-Match and If-None-Match. */
export interface Preconditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

/**
 * Injects the request's If-Match and If-None-Match, undefined without either. Hand them to `assertVersion`.
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
    description: 'ETags the resource must not have, or `*`: 412 when it has one of them. Nothing is changed then.',
    schema: { type: 'string', example: '"2"' },
  })(target, handler, descriptor);
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'ETag, or ETags, of the version the change is meant for; 412 when the resource has changed since.',
    schema: { type: 'string', example: '"3"' },
  })(target, handler, descriptor);
}

/** Returns the preconditions among these headers; undefined without any. */
export function readPreconditions(headers: FastifyRequest['headers']): Preconditions | undefined {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch };
}

/**
 * Lets a change go on only when the version fits what the caller asks of it. A resource of version 0 is one that nobody
 * has stored yet, which `*` does not match. If-Match is tried first.
 * @throws AppError `precondition.failed`
 * @see RFC 9110 section 13.2.2
 */
export function assertVersion(current: { readonly version: number }, preconditions: Preconditions | undefined): void {
  assertMatches(current, preconditions);
  const { ifNoneMatch } = preconditions ?? {};
  if (ifNoneMatch === undefined || !matchesAny(current, ifNoneMatch)) return;
  throw preconditionFailed(`If-None-Match names the current ETag "${current.version}", so nothing was changed.`);
}

/**
 * Lets a request go on only when If-Match, if there is one, lists the version.
 * @throws AppError `precondition.failed`
 */
export function assertMatches(
  { version }: { readonly version: number },
  preconditions: Preconditions | undefined,
): void {
  const { ifMatch } = preconditions ?? {};
  if (ifMatch === undefined || (isAny(ifMatch) ? version > 0 : listsStrongly(ifMatch, String(version)))) return;
  throw preconditionFailed(
    hasTags(ifMatch)
      ? `The ETag is now "${version}". Read the resource again and repeat the change with that If-Match.`
      : `If-Match must list ETags in double quotes, as this server sends them; the ETag is now "${version}".`,
  );
}

/** Returns whether If-None-Match names this version. */
export function matchesAny({ version }: { readonly version: number }, ifNoneMatch: string): boolean {
  return isAny(ifNoneMatch) ? version > 0 : listsWeakly(ifNoneMatch, String(version));
}

function preconditionFailed(detail: string): AppError {
  return new AppError('precondition.failed', { detail });
}
