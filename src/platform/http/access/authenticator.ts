import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../context/request-context';

/**
 * Identifies the sender of a request outside of Nest's guards: for limits, the documentation and the dashboard. The
 * auth module provides it, with this class as the token.
 */
export abstract class Authenticator {
  /** Returns the user id of a genuine, unexpired access token. Does not check the session in Redis. */
  abstract findUserId(request: FastifyRequest): number | undefined;

  /**
   * Rejects a request without a genuine access token, as the guard does. Does not check the session in Redis.
   * @throws AppError `auth.session_missing` or `auth.token_invalid`
   */
  abstract assertToken(request: FastifyRequest): void;

  /**
   * Returns the user of an active session.
   * @throws AppError `auth.session_missing` or `auth.token_invalid`
   */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}

/** Identifies admins by the cookie of the dashboard, which provides it. A browser sends no bearer token for a page. */
export abstract class PageAuthenticator {
  /**
   * Returns the admin of the cookie.
   * @throws AppError `auth.session_missing`, `auth.token_invalid` or `auth.forbidden`
   */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}
