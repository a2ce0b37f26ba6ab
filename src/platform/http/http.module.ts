import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ProblemFilter } from '../errors/problem.filter';
import { CursorCodec } from './cursor-codec';
import { Draining } from './draining';
import { EtagInterceptor } from './etag.interceptor';
import { KeysetPages } from './keyset-page';
import { LocationInterceptor } from './location.interceptor';
import { RateLimiter } from './rate-limiter';
import { RequestValidationPipe } from './request-validation.pipe';
import { UnreadBodyInterceptor } from './unread-body.interceptor';

/** What every route stands on: validation, problems, ETags, pages, limits, draining. */
@Global()
@Module({
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: RequestValidationPipe },
    { provide: APP_INTERCEPTOR, useClass: UnreadBodyInterceptor },
    { provide: APP_INTERCEPTOR, useClass: EtagInterceptor },
    { provide: APP_INTERCEPTOR, useClass: LocationInterceptor },
    CursorCodec,
    KeysetPages,
    RateLimiter,
    Draining,
  ],
  exports: [KeysetPages, CursorCodec, Draining, RateLimiter],
})
export class HttpModule {}
