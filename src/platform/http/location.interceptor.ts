import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tap, type Observable } from 'rxjs';

/**
 * Tells where a created resource is: an answer 201 with an `id` gets the Location `<path of the list>/<id>`, unless
 * its handler has named another.
 * @see RFC 9110 section 15.3.2
 */
@Injectable()
export class LocationInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(
      tap((body: unknown) => {
        if (reply.statusCode !== 201 || reply.hasHeader('location') || !hasId(body)) return;
        const path = request.url.split('?', 1)[0]?.replace(/\/+$/, '');
        void reply.header('location', `${path}/${body.id}`);
      }),
    );
  }
}

function hasId(body: unknown): body is { id: number } {
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'number';
}
