import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';

/**
 * Gives every answer that is a single resource with a `version` its ETag, and answers a reader who has that version
 * already with 304 and no body. Answers carry `Cache-Control: no-store`, so no cache ever shares an ETag between users.
 * @see RFC 9110 section 13
 */
@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(map((body: unknown) => (hasVersion(body) ? this.tag(body, request, reply) : body)));
  }

  private tag(body: { version: number }, request: FastifyRequest, reply: FastifyReply): unknown {
    const etag = `"${body.version}"`;
    void reply.header('etag', etag);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || !holds(request.headers['if-none-match'], etag)) return body;
    void reply.status(304);
    return undefined;
  }
}

function hasVersion(body: unknown): body is { version: number } {
  return typeof body === 'object' && body !== null && 'version' in body && typeof body.version === 'number';
}

/** If-None-Match compares weakly: W/"3" is "3". */
function holds(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
