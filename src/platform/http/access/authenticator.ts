import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../context/request-context';

/**
 * Tells who sends a request, for what happens before or beside Nest's guards: limits, documentation, dashboards. The
 * auth module provides it under this class as token.
 */
export abstract class Authenticator {
  /** The user of a genuine, unexpired access token, without asking Redis whether the session still lives. */
  abstract findUserId(request: FastifyRequest): number | undefined;

  /**
   * Refuses a request without a genuine access token, as the guard would, without asking Redis.
   * @throws AppError `auth.session_missing` or `auth.token_invalid`
   */
  abstract assertToken(request: FastifyRequest): void;

  /**
   * The principal of a live session.
   * @throws AppError `auth.session_missing` or `auth.token_invalid`
   */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}

/** Says which admin opens a page in a browser, which sends no bearer token. The dashboard provides it under this class. */
export abstract class PageAuthenticator {
  /**
   * Returns the admin whose cookie the request carries.
   * @throws AppError `auth.session_missing`, `auth.token_invalid` or `auth.forbidden`
   */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}
