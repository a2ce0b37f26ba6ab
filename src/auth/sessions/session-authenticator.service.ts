import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import type { Authenticator } from '../../platform/http/access/authenticator';
import { AccessTokensService, readBearerToken, type TokenSubject } from '../access-tokens/access-tokens.service';
import { SessionsService } from './sessions.service';

/** Authenticates requests that no guard covers: before routing, and on pages outside Nest. */
@Injectable()
export class SessionAuthenticatorService implements Authenticator {
  constructor(
    private readonly tokens: AccessTokensService,
    private readonly sessions: SessionsService,
  ) {}

  findUserId(request: FastifyRequest): number | undefined {
    return this.readSubject(request)?.userId;
  }

  assertToken(request: FastifyRequest): void {
    if (this.readSubject(request)) return;
    const isMissing = !/^bearer\s+\S/i.test(request.headers.authorization ?? '');
    throw new AppError(isMissing ? 'auth.session_missing' : 'auth.token_invalid');
  }

  async authenticate(request: FastifyRequest): Promise<Principal> {
    if (!request.headers.authorization) throw new AppError('auth.session_missing');
    return this.sessions.resolvePrincipal(this.readSubject(request));
  }

  private readSubject({ headers }: FastifyRequest): TokenSubject | null {
    const token = readBearerToken(headers);
    return token === undefined ? null : this.tokens.verify('access', token);
  }
}
