import type { ListPositions, SyncCounts, SyncKind } from './sync-run';

/** Row of syncs. */
export interface SyncRow {
  readonly id: number;
  readonly userId: number;
  readonly tokenId: number;
  readonly organizationId: string | null;
  readonly kind: SyncKind;
  readonly requestedAt: Date | null;
  readonly startedAt: Date | null;
  readonly succeededAt: Date | null;
  readonly nextAt: Date;
  readonly watermark: Date | null;
  readonly failures: number;
  readonly lastError: string | null;
  readonly postponedUntil: Date | null;
  readonly figures: SyncCounts;
  /** How far the lists and rooms were read; a run updates them. */
  readonly listPositions: ListPositions;
  readonly missingPermissions: readonly string[];
  readonly isRunning: boolean;
  /** True for a run that the user requested. */
  readonly isRequested: boolean;
  readonly createdAt: Date;
}

const COLUMNS = `s.id, s.user_id AS "userId", s.token_id AS "tokenId", t.organization_id AS "organizationId", s.kind,
  s.requested_at AS "requestedAt", s.started_at AS "startedAt", s.succeeded_at AS "succeededAt", s.next_at AS "nextAt",
  s.watermark, s.failures, s.last_error AS "lastError", s.postponed_until AS "postponedUntil", s.figures,
  s.list_positions AS "listPositions",
  s.missing_permissions AS "missingPermissions", coalesce(s.lease_until > now(), false) AS "isRunning",
  coalesce(s.next_at = s.requested_at, false) AS "isRequested", s.created_at AS "createdAt"`;

const WITH_TOKEN = `JOIN user_tokens t ON t.user_id = s.user_id AND t.id = s.token_id`;

/** Synchronisations of the kind $1 requested within the last $2 seconds. */
const REQUESTED_RECENTLY = `FROM syncs a WHERE a.kind = $1 AND a.requested_at > now() - make_interval(secs => $2)`;

/**
 * Requests a synchronisation of the kind $1 for each usable connection; a running one is followed by another. Returns
 * no row when the kind was requested within the last $2 seconds.
 */
export const REQUEST_SYNCS = `
  WITH asked AS (
    INSERT INTO syncs AS s (token_id, kind, requested_at)
    SELECT t.id, $1, now() FROM user_tokens t
    WHERE t.status <> 'reconnect_needed' AND NOT EXISTS (SELECT ${REQUESTED_RECENTLY})
    ON CONFLICT ON CONSTRAINT syncs_connection_kind_key DO UPDATE SET requested_at = now(), next_at = now()
    RETURNING s.*
  )
  SELECT ${COLUMNS} FROM asked s ${WITH_TOKEN} ORDER BY s.id`;

/** Returns the seconds until the kind $1 may be requested again; no row when it may be now. */
export const SECONDS_UNTIL_ALLOWED = `
  SELECT ceil(extract(epoch FROM a.requested_at + make_interval(secs => $2) - now()))::integer AS seconds
  ${REQUESTED_RECENTLY}
  ORDER BY a.requested_at DESC LIMIT 1`;

/** Lists all synchronisations of the tenant. */
export const LIST_SYNCS = `SELECT ${COLUMNS} FROM syncs s ${WITH_TOKEN} ORDER BY s.token_id, s.id`;

/** Reads the synchronisation $1. */
export const READ_SYNC = `SELECT ${COLUMNS} FROM syncs s ${WITH_TOKEN} WHERE s.id = $1`;

/** Claims the synchronisation $1 for the owner $2 if it is due and free. The lease expires after $3 seconds. */
export const CLAIM_SYNC = `
  UPDATE syncs s SET lease_owner = $2, lease_until = now() + make_interval(secs => $3), started_at = now()
  FROM user_tokens t
  WHERE s.id = $1 AND t.user_id = s.user_id AND t.id = s.token_id
    AND s.next_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now())
  RETURNING ${COLUMNS}`;

/**
 * Records a success of the synchronisation $1 of the owner $2. If it was requested during the run, it is due again at
 * once. The watermark advances only after a complete run ($5), so nothing is skipped; $6: summary of failed parts; $7:
 * missing permissions; $8: positions.
 */
export const SYNC_SUCCEEDED = `
  UPDATE syncs SET succeeded_at = now(), watermark = CASE WHEN $5 THEN started_at ELSE watermark END, figures = $3,
    failures = 0, last_error = $6, postponed_until = NULL, missing_permissions = $7, list_positions = $8,
    next_at = CASE WHEN requested_at > started_at THEN requested_at ELSE now() + make_interval(secs => $4) END,
    lease_owner = NULL, lease_until = NULL
  WHERE id = $1 AND lease_owner = $2`;

/**
 * Records the failure $3 with a missing permission $5 and the positions $6, and retries after $4 seconds; if it was
 * requested during the run, at once. The watermark does not change.
 */
export const SYNC_FAILED = `
  UPDATE syncs SET failures = failures + 1, last_error = $3, missing_permissions = $5, list_positions = $6,
    next_at = CASE WHEN requested_at > started_at THEN requested_at ELSE now() + make_interval(secs => $4) END,
    lease_owner = NULL, lease_until = NULL
  WHERE id = $1 AND lease_owner = $2`;

/** Ends a run early that read up to the positions $3; another run continues at once, as a request when it was one. */
export const SYNC_INTERRUPTED = `
  UPDATE syncs SET list_positions = $3, lease_owner = NULL, lease_until = NULL,
    next_at = CASE WHEN requested_at > started_at THEN requested_at ELSE next_at END
  WHERE id = $1 AND lease_owner = $2`;

/** Renews the lease of the owner $2 for $3 seconds, and stores the positions $4. Returns no row for a lost lease. */
export const RENEW_LEASE = `
  UPDATE syncs SET lease_until = now() + make_interval(secs => $3), list_positions = $4
  WHERE id = $1 AND lease_owner = $2 RETURNING id`;

/**
 * Postpones the synchronisation $1 until the day's calls start again in $3 seconds, and at most $4 seconds later. It is
 * no failure: what is known of earlier runs stays. If it was requested during the run, it is due again at once: polling
 * leaves calls to requests.
 */
export const SYNC_POSTPONED = `
  UPDATE syncs SET list_positions = $5, postponed_until = now() + make_interval(secs => $3),
    next_at = CASE WHEN requested_at > started_at THEN requested_at
      ELSE now() + make_interval(secs => $3 + $4 * random()) END,
    lease_owner = NULL, lease_until = NULL
  WHERE id = $1 AND lease_owner = $2`;
