import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ProblemFilter } from '../errors/problem.filter';
import { CursorCodec } from './cursor-codec';
import { Draining } from './draining';
import { KeysetPages } from './keyset-page';
import { RateLimiter } from './rate-limiter';
import { RequestValidationPipe } from './request-validation.pipe';

/** What every route stands on: validation, problems, pages, limits, draining. */
@Global()
@Module({
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: RequestValidationPipe },
    CursorCodec,
    KeysetPages,
    RateLimiter,
    Draining,
  ],
  exports: [KeysetPages, CursorCodec, Draining, RateLimiter],
})
export class HttpModule {}
