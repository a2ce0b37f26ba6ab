import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { joinUnitOfWork } from '../database/current-unit-of-work';
import { Database } from '../database/database';
import type { UnitOfWork } from '../database/unit-of-work';
import { hashRequest, readIdempotencyKey, IdempotencyStoreService, type StoredResponse } from './idempotency-store';

/** Headers that are stored with a response. */
const STORED_HEADERS = ['location', 'etag', 'content-type'] as const;

/**
 * Runs a POST with an Idempotency-Key once. The key, the effect and the response are one transaction, which each use of
 * `Database` in the handler joins. Errors are not stored: the corrected request may use the same key. Applied by
 * `@Idempotent()`.
 * @see draft-ietf-httpapi-idempotency-key-header-07
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly database: Database,
    private readonly store: IdempotencyStoreService,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
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
