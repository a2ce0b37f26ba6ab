import { randomUUID } from 'node:crypto';
import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { currentContext, type Principal } from '../../platform/context/request-context';
import { AccessTokensService, type DecodedToken, readBearerToken } from '../access-tokens/access-tokens.service';
import { SessionsService } from './sessions.service';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';
import { getAccessLevel, needsStepUp } from '../../platform/http/access/access';

/** Reads the access token of the Authorization header, then asks for its session: a good token of an ended one is none. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  /** passport's list of strategies is the process's; two applications in one process (tests) must not share one. */
  readonly strategyName = `jwt-${randomUUID()}`;

  constructor(
    private readonly tokens: AccessTokensService,
    private readonly sessions: SessionsService,
  ) {
    const { complete, ...checks } = tokens.getVerifyOptions('access');
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // Handed to jsonwebtoken as it is, which takes a KeyObject; the types of passport-jwt do not know that.
      secretOrKey: tokens.key as unknown as Buffer,
      jsonWebTokenOptions: { complete },
      ...checks,
    });
    passport.use(this.strategyName, this);
  }

  /**
   * The principal of a token whose signature and times hold.
   * @throws AppError `auth.token_invalid` when the token is of another kind or key, or its session is over
   */
  validate(token: DecodedToken): Promise<Principal> {
    return this.sessions.resolvePrincipal(this.tokens.readSubject('access', token));
  }
}

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
    private readonly tokens: AccessTokensService,
    strategy: JwtStrategy,
  ) {
    super({ defaultStrategy: strategy.strategyName });
  }

  /** @throws AppError `auth.session_missing`, `auth.token_invalid`, `auth.forbidden`, `auth.step_up_required` */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const level = getAccessLevel(this.reflector, context, this.config.isProduction);
    if (level === 'public') return true;
    const user = await this.resolvePrincipal(context);
    if (level === 'admin') await this.sessions.assertAdmin(user);
    if (needsStepUp(this.reflector, context)) await this.sessions.requireRecentAuth(user);
    const request = currentContext();
    if (!request) throw new Error('a request without a context has reached the guard');
    request.principal = user;
    return true;
  }

  /** passport-jwt decides about a token nobody has verified yet; a good one need not be verified with every request. */
  private async resolvePrincipal(context: ExecutionContext): Promise<Principal> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    const token = readBearerToken(request.headers);
    const known = token === undefined ? null : this.tokens.findVerified(token);
    if (known) return this.sessions.resolvePrincipal(known);
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
