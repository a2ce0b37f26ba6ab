import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error';
import { unknownFields } from './field-errors';

/** Arguments through which a handler reads the body; Nest keys them as `<kind>:<position>`. */
const READERS = [RouteParamtypes.BODY, RouteParamtypes.REQUEST].map((kind) => `${kind}:`);

/**
 * Refuses a body that its route would not read, so that a misplaced field is told and not ignored. `{}` and nothing are
 * what such a route takes. A guard behind that of auth, so that who is not signed in learns nothing of bodies; an
 * interceptor would cost every request more than the check.
 * @throws AppError `validation.failed`
 */
export class UnreadBodyGuard implements CanActivate {
  private readonly readers = new WeakMap<object, boolean>();

  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body !== undefined && body !== null && !this.reads(context)) assertEmpty(body);
    return true;
  }

  private reads(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    let reads = this.readers.get(handler);
    if (reads === undefined) {
      const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) as object | undefined;
      reads = Object.keys(args ?? {}).some((key) => READERS.some((reader) => key.startsWith(reader)));
      this.readers.set(handler, reads);
    }
    return reads;
  }
}

function assertEmpty(body: unknown): void {
  const names = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body as object) : undefined;
  if (names?.length === 0) return;
  const message = 'this route takes no body, or {}';
  const errors = names ? unknownFields(names, new Set()) : [{ pointer: '', code: 'is_object', message }];
  throw new AppError('validation.failed', { detail: message, errors });
}
