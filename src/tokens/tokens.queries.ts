import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import type { UserToken } from './user-token.entity';

const COLUMNS = `id, user_id AS "userId", provider, organization_id AS "organizationId", seal_key AS "sealKey",
  encrypted_access_token AS "encryptedAccessToken", encrypted_refresh_token AS "encryptedRefreshToken",
  expires_at AS "expiresAt", scopes, status, last_refreshed_at AS "lastRefreshedAt", last_error AS "lastError",
  refresh_owner AS "refreshOwner", refresh_until AS "refreshUntil", next_refresh_at AS "nextRefreshAt",
  failed_refreshes AS "failedRefreshes", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

/** A row of user_tokens, and whether the statement made it. */
export type StoredToken = UserToken & { readonly isNew: boolean };

/** The values of a connection that its user, or an authorization, brings. */
export interface NewConnection {
  readonly provider: string;
  readonly organizationId: string | null;
  readonly sealKey: string;
  readonly encryptedAccessToken: string;
  readonly encryptedRefreshToken: string;
  readonly expiresAt: Date;
  readonly scopes: readonly string[];
}

/**
 * Stores a connection; the same provider and organization again gets the new pair, and whoever is refreshing the old one
 * loses his lease, so that his answer cannot overwrite it.
 */
export function storeConnection(connection: NewConnection): [sql: string, values: unknown[]] {
  const sql = `
    INSERT INTO user_tokens AS t (provider, organization_id, seal_key, encrypted_access_token, encrypted_refresh_token, expires_at, scopes)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT ON CONSTRAINT user_tokens_connection_key DO UPDATE SET
      seal_key = excluded.seal_key, encrypted_access_token = excluded.encrypted_access_token,
      encrypted_refresh_token = excluded.encrypted_refresh_token, expires_at = excluded.expires_at, scopes = excluded.scopes,
      status = 'active', last_error = NULL, refresh_owner = NULL, refresh_until = NULL, next_refresh_at = NULL,
      failed_refreshes = 0, reconnect_reported_at = NULL
    RETURNING ${COLUMNS}, xmax = 0 AS "isNew"`;
  const { provider, organizationId, sealKey, encryptedAccessToken, encryptedRefreshToken, expiresAt, scopes } =
    connection;
  return [sql, [provider, organizationId, sealKey, encryptedAccessToken, encryptedRefreshToken, expiresAt, scopes]];
}

/** One page of the tenant's connections, oldest first, behind the row with the keys `after`. */
export function listTokens(after: readonly CursorKey[] | undefined, take: number): [sql: string, values: unknown[]] {
  const conditions = new Conditions().after('id', '>', ['bigint'], after);
  const limit = conditions.value(take);
  return [`SELECT ${COLUMNS} FROM user_tokens ${conditions.where} ORDER BY id LIMIT ${limit}`, conditions.values];
}

/**
 * Takes the lease of the connection $1 for $2, for $3 seconds; no row when another has it, when it was refreshed within
 * the last $4 seconds, while it rests after a failure, or when it must be connected anew.
 */
export const CLAIM_REFRESH_LEASE = `
  UPDATE user_tokens SET refresh_owner = $2, refresh_until = now() + make_interval(secs => $3)
  WHERE id = $1 AND status <> 'reconnect_needed'
    AND (refresh_until IS NULL OR refresh_until < now())
    AND (next_refresh_at IS NULL OR next_refresh_at <= now())
    AND (last_refreshed_at IS NULL OR last_refreshed_at < now() - make_interval(secs => $4))
  RETURNING ${COLUMNS}`;

/** A row of user_tokens, judged by the database's clock. */
export type TokenWithRefreshState = UserToken & {
  readonly isLeased: boolean;
  readonly isRecentlyRefreshed: boolean;
  /** It failed, and is not to be tried yet. */
  readonly isBackingOff: boolean;
};

/** The connection $1: whether somebody has its lease, whether it was refreshed within $2 seconds, whether it rests. */
export const READ_WITH_REFRESH_STATE = `
  SELECT ${COLUMNS}, coalesce(refresh_until > now(), false) AS "isLeased",
    coalesce(last_refreshed_at > now() - make_interval(secs => $2), false) AS "isRecentlyRefreshed",
    coalesce(next_refresh_at > now(), false) AS "isBackingOff"
  FROM user_tokens WHERE id = $1`;

/** Stores a new pair of the connection $1, if $2 still has the lease; it ends. */
export const STORE_REFRESHED = `
  UPDATE user_tokens SET seal_key = $3, encrypted_access_token = $4, encrypted_refresh_token = $5, expires_at = $6,
    scopes = coalesce($7, scopes), status = 'active', last_refreshed_at = now(), last_error = NULL, failed_refreshes = 0,
    next_refresh_at = NULL, reconnect_reported_at = NULL, refresh_owner = NULL, refresh_until = NULL
  WHERE id = $1 AND refresh_owner = $2
  RETURNING ${COLUMNS}`;

/** Notes that a refresh of the connection $1 failed, if $2 still has the lease; the pair stays as it is. */
export const RECORD_REFRESH_FAILURE = `
  UPDATE user_tokens SET status = $3, last_error = $4, failed_refreshes = failed_refreshes + 1,
    next_refresh_at = now() + make_interval(secs => $5), refresh_owner = NULL, refresh_until = NULL
  WHERE id = $1 AND refresh_owner = $2
  RETURNING ${COLUMNS}`;
