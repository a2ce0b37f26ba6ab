import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ProblemFilter } from '../errors/problem.filter';
import { CursorCodec, KeysetPages } from './pagination/keyset-page';
import { DrainingService } from './edge/draining.service';
import { RateLimiterService } from './access/rate-limiter.service';
import { RequestValidationPipe } from './validation/request-validation.pipe';

/** Validation, problems, pages, limits and draining for all routes. */
@Global()
@Module({
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: RequestValidationPipe },
    CursorCodec,
    KeysetPages,
    RateLimiterService,
    DrainingService,
  ],
  exports: [KeysetPages, CursorCodec, DrainingService, RateLimiterService],
})
export class HttpModule {}
