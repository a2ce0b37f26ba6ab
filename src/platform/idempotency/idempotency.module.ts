import { Global, Module } from '@nestjs/common';
import { IdempotencyInterceptor, IdempotencyStoreService } from './idempotency.interceptor';

/** Idempotency-Key for all routes marked by `@Idempotent()`. Needs DatabaseModule. */
@Global()
@Module({
  providers: [IdempotencyStoreService, IdempotencyInterceptor],
  exports: [IdempotencyStoreService, IdempotencyInterceptor],
})
export class IdempotencyModule {}
