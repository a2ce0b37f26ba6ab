import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error';

/** An ETag of a header. */
interface EntityTag {
  readonly isWeak: boolean;
  /** The text between the quotes. */
  readonly value: string;
}

/** @see RFC 9110 section 8.8.3 */
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** Returns whether the header is `*`, which any existing resource matches. */
export function isAny(header: string): boolean {
  return header.trim() === '*';
}

/** Returns whether the list has this ETag by strong comparison. @see RFC 9110 section 8.8.3.2 */
export function listsStrongly(header: string, value: string): boolean {
  return parseTags(header).some((tag) => !tag.isWeak && tag.value === value);
}

/** Returns whether the list has this ETag by weak comparison: `W/"3"` equals `"3"`. */
export function listsWeakly(header: string, value: string): boolean {
  return parseTags(header).some((tag) => tag.value === value);
}

/** Returns whether the header is `*` or has an ETag. */
export function hasTags(header: string): boolean {
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
  throw preconditionFailed(`If-None-Match has the current ETag "${current.version}". Nothing was changed.`);
}

/**
 * Rejects a request whose If-Match does not list the version.
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
      : `If-Match must list ETags in double quotes. The ETag is now "${version}".`,
  );
}

/** Returns whether If-None-Match lists this version. */
export function matchesAny({ version }: { readonly version: number }, ifNoneMatch: string): boolean {
  return isAny(ifNoneMatch) ? version > 0 : listsWeakly(ifNoneMatch, String(version));
}

function preconditionFailed(detail: string): AppError {
  return new AppError('precondition.failed', { detail });
}
