import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error';

/** No version is ever this one: what cannot match is answered 412 after the 404 of a foreign id. */
const NEVER = -1;

/**
 * Injects the version the caller's If-Match names: undefined without the header or for `*`; a value that can match no
 * version (weak, malformed, several) comes as one that never does. Hand it to `assertVersion`.
 */
export const IfMatch = createParamDecorator<void, number | undefined>(
  (_, context: ExecutionContext) => versionOf(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
  [documentHeader],
);

function documentHeader(target: object, handler: string | symbol | undefined): void {
  const descriptor = handler === undefined ? undefined : Object.getOwnPropertyDescriptor(target, handler);
  if (handler === undefined || !descriptor) return;
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'ETag of the version the change is meant for; 412 when the resource has changed since.',
    schema: { type: 'string', example: '"3"' },
  })(target, handler, descriptor);
}

/** The version in an If-Match header. */
export function versionOf(header: string | undefined): number | undefined {
  const value = header?.trim();
  if (value === undefined || value === '*') return undefined;
  const [, version] = /^"(\d{1,15})"$/.exec(value) ?? [];
  return version === undefined ? NEVER : Number(version);
}

/**
 * Lets a change go on only for the version the caller knows.
 * @throws AppError `precondition.failed`
 */
export function assertVersion(current: { readonly version: number }, expected: number | undefined): void {
  if (expected === undefined || expected === current.version) return;
  const what = expected === NEVER ? 'If-Match must be one ETag as this server gave it' : 'it has changed';
  throw new AppError('precondition.failed', { detail: `${what}; its ETag is now "${current.version}"` });
}
