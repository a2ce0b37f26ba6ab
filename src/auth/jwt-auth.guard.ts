import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Config } from '../platform/config/config';
import { currentContext, type Principal } from '../platform/context/request-context';
import { AppError } from '../platform/errors/app-error';
import { accessLevelOf, needsStepUp } from '../platform/http/access';
import { AccessTokens } from './access-tokens.service';
import { bearerTokenOf } from './bearer-token';
import { JwtStrategy } from './jwt.strategy';
import { SessionsService } from './sessions.service';

/**
 * Stands before every route and is closed by default: a route without an access marker is the admin's. Puts the
 * principal into the request's context, from which the data gate takes the tenant.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard() {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: Config,
    private readonly sessions: SessionsService,
    private readonly tokens: AccessTokens,
    strategy: JwtStrategy,
  ) {
    super({ defaultStrategy: strategy.registeredAs });
  }

  /** @throws AppError `auth.session_missing`, `auth.token_invalid`, `auth.forbidden`, `auth.step_up_required` */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const level = accessLevelOf(this.reflector, context, this.config.isProduction);
    if (level === 'public') return true;
    const user = await this.principalOf(context);
    if (level === 'admin') await this.sessions.assertAdmin(user);
    if (needsStepUp(this.reflector, context)) await this.sessions.assertFresh(user);
    const request = currentContext();
    if (!request) throw new Error('a request without a context has reached the guard');
    request.principal = user;
    return true;
  }

  /** passport-jwt decides about a token nobody has verified yet; a good one need not be verified with every request. */
  private async principalOf(context: ExecutionContext): Promise<Principal> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    const token = bearerTokenOf(request.headers);
    const known = token === undefined ? null : this.tokens.recall(token);
    if (known) return this.sessions.principalOf(known);
    await super.canActivate(context);
    return request.user;
  }

  /** Turns passport's outcome into our errors; its own would tell why a token failed. */
  override handleRequest<User = Principal>(error: unknown, user: User | false, info: unknown): User {
    if (error instanceof Error) throw error;
    if (user) return user;
    const isMissing = info instanceof Error && info.message === 'No auth token';
    throw new AppError(isMissing ? 'auth.session_missing' : 'auth.token_invalid');
  }
}
