import { Injectable, SetMetadata, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { currentContext } from '../context/request-context';
import { joinUnitOfWork } from '../database/current-unit-of-work';
import { Database } from '../database/database';
import type { UnitOfWork } from '../database/unit-of-work';
import { isStreamed } from '../http/edge/body-parsers';
import { hashRequest, readIdempotencyKey, IdempotencyStoreService, type StoredResponse } from './idempotency-store';

/**
 * POSTs whose response is never stored. Some contain secrets: tokens, the state of an authorization, webhook secrets.
 * The refresh of a connection calls the provider, which no transaction may wait for; within seconds it happens once
 * anyway. An erased user has no keys. Changes of accounts by admins send e-mails and have the same effect when
 * repeated.
 */
const NOT_STORED = /^\/v1\/(auth(\/|$)|tokens\/|users\/me\/erase$|admin\/users\/|webhooks(\/:id\/rotate-secret)?$)/;

/**
 * Returns whether the route supports the Idempotency-Key. Used by the server and by its OpenAPI document.
 * @param route the registered path: `/v1/jobs/:id`
 */
export function isRepeatable(route: string): boolean {
  return !NOT_STORED.test(route);
}

/** Headers that are stored with a response. */
const STORED_HEADERS = ['location', 'etag', 'content-type'] as const;

/** Metadata key of `HandlesIdempotencyKey`. */
const HANDLES_KEY = 'gigvault:keeps-its-own-key';

/**
 * Marks a route that handles the Idempotency-Key itself, by `IdempotencyStoreService`, with the same responses.
 * @param reason why its work cannot be one transaction
 */
export function HandlesIdempotencyKey(reason: string): MethodDecorator {
  return SetMetadata(HANDLES_KEY, reason);
}

/**
 * Runs a POST with an Idempotency-Key once. The key, the effect and the response are one transaction, which each use of
 * `Database` in the handler joins. Errors are not stored: the corrected request may use the same key. Routes with
 * streamed bodies, or marked by `HandlesIdempotencyKey`, use `IdempotencyStoreService` themselves.
 * @see draft-ietf-httpapi-idempotency-key-header-07
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly database: Database,
    private readonly store: IdempotencyStoreService,
    private readonly reflector: Reflector,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const context = currentContext();
    if (request.method !== 'POST' || !context?.principal || isStreamed(request)) return next.handle();
    if (this.reflector.get(HANDLES_KEY, execution.getHandler()) !== undefined) return next.handle();
    if (!isRepeatable(request.routeOptions.url ?? '')) return next.handle();
    const key = readIdempotencyKey(request.headers['idempotency-key']);
    if (key === undefined) return next.handle();
    const reply = execution.switchToHttp().getResponse<FastifyReply>();
    return from(
      this.runOnce(key, request, reply, (unit) =>
        joinUnitOfWork(unit, () => firstValueFrom(next.handle(), { defaultValue: undefined })),
      ),
    );
  }

  private runOnce(
    key: string,
    request: FastifyRequest,
    reply: FastifyReply,
    handle: (unit: UnitOfWork) => Promise<unknown>,
  ): Promise<unknown> {
    const requestHash = hashRequest(request.method, request.url, request.body);
    return this.database.transaction(async (unit) => {
      const stored = await this.store.begin(unit, key);
      if (stored) {
        this.store.assertSameRequest(stored, requestHash);
        return replay(stored, reply);
      }
      const body = await handle(unit);
      await this.store.save(unit, key, { requestHash, ...captureResponse(body, reply) });
      return body;
    });
  }
}

function captureResponse(body: unknown, reply: FastifyReply): Omit<StoredResponse, 'requestHash'> {
  const headers = STORED_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return {
    status: reply.statusCode,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: body === undefined ? null : JSON.stringify(body),
  };
}

function replay({ status, headers, body }: StoredResponse, reply: FastifyReply): unknown {
  void reply.status(status).headers({ ...headers, 'idempotent-replayed': 'true' });
  return body === null ? undefined : (JSON.parse(body) as unknown);
}
