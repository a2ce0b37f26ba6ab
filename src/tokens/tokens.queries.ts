import type { OrganizationDto } from './connection-details.dto';
import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import type { UserToken } from './user-token.entity';

const COLUMNS = `id, user_id AS "userId", provider, organization_id AS "organizationId", organizations,
  seal_key AS "sealKey",
  encrypted_access_token AS "encryptedAccessToken", encrypted_refresh_token AS "encryptedRefreshToken",
  expires_at AS "expiresAt", scopes, status, last_refreshed_at AS "lastRefreshedAt", last_error AS "lastError",
  refresh_owner AS "refreshOwner", refresh_until AS "refreshUntil", next_refresh_at AS "nextRefreshAt",
  failed_refreshes AS "failedRefreshes", missing_parts AS "missingParts",
  capabilities_checked_at AS "capabilitiesCheckedAt", capabilities_error AS "capabilitiesError", version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

/** Row of user_tokens; `isNew` when the statement inserted it. */
export type StoredToken = UserToken & { readonly isNew: boolean };

/** Values of a new connection. */
export interface NewConnection {
  readonly provider: string;
  readonly organizationId: string | null;
  /** Null when they are not known. */
  readonly organizations: readonly OrganizationDto[] | null;
  readonly sealKey: string;
  readonly encryptedAccessToken: string;
  readonly encryptedRefreshToken: string;
  readonly expiresAt: Date;
  readonly scopes: readonly string[];
}

/**
 * Builds the upsert of a connection. An existing one for the same provider and organization gets the new pair. Its
 * refresh lease is cleared, so that a refresh of the old pair cannot overwrite it.
 */
export function storeConnection(connection: NewConnection): [sql: string, values: unknown[]] {
  const sql = `
    INSERT INTO user_tokens AS t (
      provider, organization_id, seal_key, encrypted_access_token, encrypted_refresh_token, expires_at, scopes,
      organizations
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT ON CONSTRAINT user_tokens_connection_key DO UPDATE SET
      seal_key = excluded.seal_key, encrypted_access_token = excluded.encrypted_access_token,
      encrypted_refresh_token = excluded.encrypted_refresh_token, expires_at = excluded.expires_at,
      organizations = coalesce(excluded.organizations, t.organizations), scopes = excluded.scopes,
      status = 'active', last_error = NULL, refresh_owner = NULL, refresh_until = NULL,
      next_refresh_at = NULL, failed_refreshes = 0, reconnect_reported_at = NULL, upwork_user_id = NULL,
      next_capability_check_at = now()
    RETURNING ${COLUMNS}, xmax = 0 AS "isNew"`;
  const { provider, organizationId, sealKey, encryptedAccessToken, encryptedRefreshToken, expiresAt, scopes } =
    connection;
  const organizations = connection.organizations && JSON.stringify(connection.organizations);
  const tokens = [sealKey, encryptedAccessToken, encryptedRefreshToken];
  return [sql, [provider, organizationId, ...tokens, expiresAt, scopes, organizations]];
}

/** Builds the query for one page of the tenant's connections after the cursor `after`, oldest first. */
export function listTokens(after: readonly CursorKey[] | undefined, take: number): [sql: string, values: unknown[]] {
  const conditions = new Conditions().after('id', '>', ['bigint'], after);
  const limit = conditions.value(take);
  return [`SELECT ${COLUMNS} FROM user_tokens ${conditions.where} ORDER BY id LIMIT ${limit}`, conditions.values];
}

/**
 * Claims the refresh lease of the connection $1 for the owner $2, for $3 seconds. Returns no row when it is leased, was
 * refreshed within $4 seconds, backs off after a failure, or must be reconnected.
 */
export const CLAIM_REFRESH_LEASE = `
  UPDATE user_tokens SET refresh_owner = $2, refresh_until = now() + make_interval(secs => $3)
  WHERE id = $1 AND status <> 'reconnect_needed'
    AND (refresh_until IS NULL OR refresh_until < now())
    AND (next_refresh_at IS NULL OR next_refresh_at <= now())
    AND (last_refreshed_at IS NULL OR last_refreshed_at < now() - make_interval(secs => $4))
  RETURNING ${COLUMNS}`;

/** Row of user_tokens with its refresh state by the database's clock. */
export type TokenWithRefreshState = UserToken & {
  readonly isLeased: boolean;
  readonly isRecentlyRefreshed: boolean;
  /** True while the connection waits after a failure. */
  readonly isBackingOff: boolean;
};

/** Reads the connection $1 with its refresh state: leased, refreshed within $2 seconds, backing off. */
export const READ_WITH_REFRESH_STATE = `
  SELECT ${COLUMNS}, coalesce(refresh_until > now(), false) AS "isLeased",
    coalesce(last_refreshed_at > now() - make_interval(secs => $2), false) AS "isRecentlyRefreshed",
    coalesce(next_refresh_at > now(), false) AS "isBackingOff"
  FROM user_tokens WHERE id = $1`;

/**
 * Stores a new pair of the connection $1 and ends the lease, if $2 still owns it. Finds the row by its seal key when a
 * first store was committed and its answer was lost.
 */
export const STORE_REFRESHED = `
  UPDATE user_tokens SET seal_key = $3, encrypted_access_token = $4, encrypted_refresh_token = $5, expires_at = $6,
    scopes = coalesce($7, scopes), status = 'active', last_refreshed_at = now(), last_error = NULL,
    failed_refreshes = 0, next_refresh_at = NULL, reconnect_reported_at = NULL, refresh_owner = NULL,
    refresh_until = NULL
  WHERE id = $1 AND (refresh_owner = $2 OR seal_key = $3)
  RETURNING ${COLUMNS}`;

/** Records a failed refresh of the connection $1 and ends the lease, if $2 still owns it. The pair does not change. */
export const RECORD_REFRESH_FAILURE = `
  UPDATE user_tokens SET status = $3, last_error = $4, failed_refreshes = failed_refreshes + 1,
    next_refresh_at = now() + make_interval(secs => $5), refresh_owner = NULL, refresh_until = NULL
  WHERE id = $1 AND refresh_owner = $2
  RETURNING ${COLUMNS}`;

/** Lists the organizations for which the tenant has a connection. */
export const LIST_ORGANIZATION_IDS = `
  SELECT organization_id AS id FROM user_tokens WHERE organization_id IS NOT NULL ORDER BY id`;

/** Reads the stored id of the user at Upwork of the connection $1. */
export const READ_UPWORK_USER_ID = `SELECT upwork_user_id AS id FROM user_tokens WHERE id = $1`;

/** Stores the id of the user at Upwork of the connection $1. */
export const STORE_UPWORK_USER_ID = `UPDATE user_tokens SET upwork_user_id = $2 WHERE id = $1`;
