import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error';
import { describeErrors, findUnknownNames } from './field-errors';
import type { Query } from './query-string';

/** Kinds of arguments that read the body. Nest keys them as `<kind>:<position>`. */
const BODY_READERS = [RouteParamtypes.BODY, RouteParamtypes.REQUEST];

/** Kinds of arguments that read the query. */
const QUERY_READERS = [RouteParamtypes.QUERY];

/**
 * Rejects a body, or query parameters of a GET, that the route does not read: a misplaced field is an error. A route
 * without a body accepts `{}` and no body. The guard runs after the one of auth, so it reveals nothing without a
 * session. An interceptor would cost every request more than the check.
 * @throws AppError `validation.failed`
 */
export class UnreadInputGuard implements CanActivate {
  private readonly bodyReaders = new WeakMap<object, boolean>();
  private readonly queryReaders = new WeakMap<object, boolean>();

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { body } = request;
    if (body !== undefined && body !== null && !hasReader(context, BODY_READERS, this.bodyReaders)) assertEmpty(body);
    if (isReadOfApi(request) && !hasReader(context, QUERY_READERS, this.queryReaders))
      assertNoQuery(request.query as Query);
    return true;
  }
}

function hasReader(
  context: ExecutionContext,
  kinds: readonly RouteParamtypes[],
  known: WeakMap<object, boolean>,
): boolean {
  const handler = context.getHandler();
  let isReader = known.get(handler);
  if (isReader === undefined) {
    const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) as object | undefined;
    isReader = Object.keys(args ?? {}).some((key) => kinds.some((kind) => key.startsWith(`${kind}:`)));
    known.set(handler, isReader);
  }
  return isReader;
}

/** Returns whether the request reads from the API. Pages read their query in the browser. */
function isReadOfApi({ method, routeOptions }: FastifyRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && (routeOptions.url ?? '').startsWith('/v1/');
}

function assertNoQuery(query: Query): void {
  const names = Object.keys(query);
  if (names.length === 0) return;
  const none = new Set<string>();
  const errors = findUnknownNames(names, none, 'parameter');
  throw new AppError('validation.failed', { detail: describeErrors(errors, none, 'parameter'), errors });
}

function assertEmpty(body: unknown): void {
  const names = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body as object) : undefined;
  if (names?.length === 0) return;
  const message = 'This route accepts no body, or {}.';
  const errors = names ? findUnknownNames(names, new Set()) : [{ pointer: '', code: 'is_object', message }];
  throw new AppError('validation.failed', { detail: message, errors });
}

/** The body of an action without parameters: `{}` or none. */
export class NoFieldsDto {}
