import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { IdempotencyInterceptor } from './idempotency.interceptor';

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
