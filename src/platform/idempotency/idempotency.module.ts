import { Global, Module } from '@nestjs/common';
import { IdempotencyInterceptor } from './idempotency.interceptor';
import { IdempotencyStoreService } from './idempotency-store';

/** Idempotency-Key for all routes marked by `@Idempotent()`. Needs DatabaseModule. */
@Global()
@Module({
  providers: [IdempotencyStoreService, IdempotencyInterceptor],
  exports: [IdempotencyStoreService, IdempotencyInterceptor],
})
export class IdempotencyModule {}
