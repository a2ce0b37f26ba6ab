import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
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

/** What a POST route does with an Idempotency-Key. Every POST route has one. */
export interface IdempotencyPolicy {
  readonly isSupported: boolean;
  /** Why the route differs from `@Idempotent()`. */
  readonly reason?: string;
}

/** Metadata key of the policy, on a handler or its controller. */
export const IDEMPOTENCY_POLICY = 'gigvault:idempotency-policy';

/** Name of the header, by which the OpenAPI document recognizes the routes that support it. */
export const IDEMPOTENCY_KEY = 'Idempotency-Key';

/**
 * Runs the POST once for each Idempotency-Key, and documents the header. The interceptor is not global: Nest wraps each
 * handler with an interceptor in promises and observables, which costs 10 % of the CPU time of a read.
 */
export function Idempotent(): MethodDecorator {
  return applyDecorators(setPolicy({ isSupported: true }), UseInterceptors(IdempotencyInterceptor), DocumentedKey());
}

/**
 * Marks a route that handles the Idempotency-Key itself, by `IdempotencyStoreService`, with the same responses.
 * @param reason why its work cannot be one transaction around the handler
 */
export function HandlesIdempotencyKey(reason: string): MethodDecorator {
  return applyDecorators(setPolicy({ isSupported: true, reason }), DocumentedKey());
}

/**
 * Marks a POST that ignores the Idempotency-Key, or all POSTs of a controller.
 * @param reason for the reviewer: why its response is not stored
 */
export function NotIdempotent(reason: string): ClassDecorator & MethodDecorator {
  return setPolicy({ isSupported: false, reason });
}

function setPolicy(policy: IdempotencyPolicy): ClassDecorator & MethodDecorator {
  return SetMetadata(IDEMPOTENCY_POLICY, policy);
}

function DocumentedKey(): MethodDecorator {
  return ApiHeader({
    name: IDEMPOTENCY_KEY,
    required: false,
    description:
      'Makes the request safe to repeat for 24 hours. The same key with the same body returns the stored response ' +
      'with `Idempotent-Replayed: true`; another body is 422.',
    schema: { type: 'string', minLength: 1, maxLength: 255, example: 'a3f1c9e2-create-job' },
  });
}
