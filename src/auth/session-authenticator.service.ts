import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../platform/context/request-context';
import { AppError } from '../platform/errors/app-error';
import type { Authenticator } from '../platform/http/authenticator';
import { AccessTokens, type TokenSubject } from './access-tokens.service';
import { bearerTokenOf } from './bearer-token';
import { SessionsService } from './sessions.service';

/** Tells who sends a request where no guard stands: before the routing and at pages that are not Nest's. */
@Injectable()
export class SessionAuthenticator implements Authenticator {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionsService,
  ) {}

  subjectOf(request: FastifyRequest): number | undefined {
    return this.read(request)?.userId;
  }

  assertToken(request: FastifyRequest): void {
    if (this.read(request)) return;
    const isMissing = !/^bearer\s+\S/i.test(request.headers.authorization ?? '');
    throw new AppError(isMissing ? 'auth.session_missing' : 'auth.token_invalid');
  }

  async authenticate(request: FastifyRequest): Promise<Principal> {
    if (!request.headers.authorization) throw new AppError('auth.session_missing');
    return this.sessions.principalOf(this.read(request));
  }

  private read({ headers }: FastifyRequest): TokenSubject | null {
    const token = bearerTokenOf(headers);
    return token === undefined ? null : this.tokens.read('access', token);
  }
}
