import { randomUUID } from 'node:crypto';
import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { currentContext, type Principal } from '../../platform/context/request-context';
import {
  AccessTokensService,
  type DecodedToken,
  readBearerToken,
  type TokenSubject,
} from '../access-tokens/access-tokens.service';
import { SessionsService } from './sessions.service';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';
import {
  getAccessLevel,
  isOpenBeforeEnrolment,
  needsStepUp,
  type Authenticator,
} from '../../platform/http/access/access';

/** Verifies the access token of the Authorization header and its session. Tokens of ended sessions are rejected. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  /** Unique, because passport registers strategies per process and tests run several applications in one process. */
  readonly strategyName = `jwt-${randomUUID()}`;

  constructor(
    private readonly tokens: AccessTokensService,
    private readonly sessions: SessionsService,
  ) {
    const { complete, ...checks } = tokens.getVerifyOptions('access');
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // Passed on to jsonwebtoken, which accepts a KeyObject; the types of passport-jwt do not.
      secretOrKey: tokens.key as unknown as Buffer,
      jsonWebTokenOptions: { complete },
      ...checks,
    });
    passport.use(this.strategyName, this);
  }

  /**
   * Returns the principal of a token with a valid signature and valid times.
   * @throws AppError `auth.token_invalid` when the token has another kind or key, or its session has ended
   */
  validate(token: DecodedToken): Promise<Principal> {
    return this.sessions.resolvePrincipal(this.tokens.readSubject('access', token));
  }
}

/**
 * Runs before every route and denies by default: a route without an access marker is for admins only. Puts the
 * principal into the request's context, from which `Database` takes the tenant.
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

  /**
   * @throws AppError `auth.session_missing`, `auth.token_invalid`, `auth.forbidden`, `auth.step_up_required`,
   *   `auth.mfa_enrolment_required`
   */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const level = getAccessLevel(this.reflector, context, this.config.isProduction);
    if (level === 'public') return true;
    const user = await this.resolvePrincipal(context);
    if (!isOpenBeforeEnrolment(this.reflector, context)) this.sessions.assertEnrolled(user);
    if (level === 'admin') this.sessions.assertAdmin(user);
    if (needsStepUp(this.reflector, context)) this.sessions.requireRecentAuth(user);
    const request = currentContext();
    if (!request) throw new Error('the guard needs a request context');
    request.principal = user;
    return true;
  }

  /** Returns the principal. passport-jwt verifies tokens that are not in the cache of verified tokens. */
  private async resolvePrincipal(context: ExecutionContext): Promise<Principal> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    const token = readBearerToken(request.headers);
    const subject = token === undefined ? null : this.tokens.findVerified(token);
    if (subject) return this.sessions.resolvePrincipal(subject);
    await super.canActivate(context);
    return request.user;
  }

  /** Converts passport's outcome into AppErrors. Passport's own errors would reveal why a token failed. */
  override handleRequest<User = Principal>(error: unknown, user: User | false, info: unknown): User {
    if (error instanceof Error) throw error;
    if (user) return user;
    const isMissing = info instanceof Error && info.message === 'No auth token';
    throw new AppError(isMissing ? 'auth.session_missing' : 'auth.token_invalid');
  }
}

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
    const principal = await this.sessions.resolvePrincipal(this.readSubject(request));
    this.sessions.assertEnrolled(principal);
    return principal;
  }

  private readSubject({ headers }: FastifyRequest): TokenSubject | null {
    const token = readBearerToken(headers);
    return token === undefined ? null : this.tokens.verify('access', token);
  }
}
