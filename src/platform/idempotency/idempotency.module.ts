import { Global, Module } from '@nestjs/common';
import { DataKeyInterceptor, IdempotencyInterceptor, IdempotencyStoreService } from './idempotency.interceptor';

/** Idempotency-Key for all routes marked by `@Idempotent()`. Needs DatabaseModule and EncryptionModule. */
@Global()
@Module({
  providers: [IdempotencyStoreService, IdempotencyInterceptor, DataKeyInterceptor],
  exports: [IdempotencyStoreService, IdempotencyInterceptor, DataKeyInterceptor],
})
export class IdempotencyModule {}
