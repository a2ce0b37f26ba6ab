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
 * POSTs whose answer is never kept. Sign-in answers hold tokens, an authorization's address its state, a webhook's its
 * secret. A refresh of a connection calls its provider, which no transaction may wait for; repeated within seconds it is
 * one refresh anyway. An erased user has no keys any more; what an admin does to an account ends in emails, and does the
 * same when repeated.
 */
const NOT_STORED = /^\/v1\/(auth(\/|$)|tokens\/|users\/me\/erase$|admin\/users\/|webhooks(\/:id\/rotate-secret)?$)/;

/**
 * Returns whether a POST with an Idempotency-Key happens once. The server and its OpenAPI document both ask here.
 * @param route as it is registered: `/v1/jobs/:id`
 */
export function isRepeatable(route: string): boolean {
  return !NOT_STORED.test(route);
}

/** Headers that belong to an answer and not to the moment it is sent. */
const STORED_HEADERS = ['location', 'etag', 'content-type'] as const;

/** Metadata key of `KeepsItsOwnKey`. */
const HANDLES_KEY = 'gigvault:keeps-its-own-key';

/**
 * The route keeps the Idempotency-Key itself, by `IdempotencyStore`, with the same answers to its caller.
 * @param reason why its work cannot be one transaction
 */
export function HandlesIdempotencyKey(reason: string): MethodDecorator {
  return SetMetadata(HANDLES_KEY, reason);
}

/**
 * Makes a POST with an Idempotency-Key happen once: the key, the whole effect and the answer are one transaction, which
 * every use of the data gate in the handler joins. A refusal (4xx) is not kept: the request may be mended and sent again
 * with the same key. Streamed bodies, and routes marked by `KeepsItsOwnKey`, use `IdempotencyStore` themselves.
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
