import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { Principal } from '../platform/context/request-context';
import { AccessTokens, type DecodedToken } from './access-tokens.service';
import { SessionsService } from './sessions.service';

/** Reads the access token of the Authorization header, then asks for its session: a good token of an ended one is none. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  /** passport's list of strategies is the process's; two applications in one process (tests) must not share one. */
  readonly registeredAs = `jwt-${randomUUID()}`;

  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionsService,
  ) {
    const { complete, ...checks } = tokens.checksOf('access');
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // Handed to jsonwebtoken as it is, which takes a KeyObject; the types of passport-jwt do not know that.
      secretOrKey: tokens.key as unknown as Buffer,
      jsonWebTokenOptions: { complete },
      ...checks,
    });
    passport.use(this.registeredAs, this);
  }

  /**
   * The principal of a token whose signature and times hold.
   * @throws AppError `auth.token_invalid` when the token is of another kind or key, or its session is over
   */
  validate(token: DecodedToken): Promise<Principal> {
    return this.sessions.principalOf(this.tokens.subjectOf('access', token));
  }
}
