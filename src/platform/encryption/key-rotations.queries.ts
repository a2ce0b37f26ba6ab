/** The state of a rotation of the master key. */
export interface KeyRotation {
  readonly id: number;
  readonly keyId: string;
  readonly startedAt: Date;
  /** null while a process lacks the key and the old one wraps. */
  readonly promotedAt: Date | null;
  /** null while data keys may be wrapped with another key. */
  readonly finishedAt: Date | null;
}

const COLUMNS = `
  id, key_id AS "keyId", started_at AS "startedAt", promoted_at AS "promotedAt", finished_at AS "finishedAt"`;

/**
 * Starts a rotation to the key $1, or returns the open one. $2 redirects the open one to $1, for keys from settings
 * that have changed again.
 */
export const BEGIN_ROTATION = `
  INSERT INTO key_rotations AS r (key_id) VALUES ($1)
  ON CONFLICT ((finished_at IS NULL)) WHERE finished_at IS NULL
  DO UPDATE SET key_id = CASE WHEN $2 THEN excluded.key_id ELSE r.key_id END
  RETURNING ${COLUMNS}`;

/** Records an unrequested rotation to the key $1, unless one is open. */
export const RECORD_ROTATION = `
  INSERT INTO key_rotations (key_id) VALUES ($1)
  ON CONFLICT ((finished_at IS NULL)) WHERE finished_at IS NULL DO NOTHING`;

export const OPEN_ROTATION = `SELECT ${COLUMNS} FROM key_rotations WHERE finished_at IS NULL`;

export const LATEST_ROTATION = `SELECT ${COLUMNS} FROM key_rotations ORDER BY id DESC LIMIT 1`;

/** Records that the key of the open rotation wraps from now on. */
export const MARK_PROMOTED = `
  UPDATE key_rotations SET promoted_at = coalesce(promoted_at, now()) WHERE finished_at IS NULL AND key_id = $1`;

export const MARK_FINISHED = `
  UPDATE key_rotations SET finished_at = now()
  WHERE finished_at IS NULL AND key_id = $1 AND promoted_at IS NOT NULL`;

/** Checks that the last rotation ended a minute ago: until then, a data key wrapped before the promotion may arrive. */
export const CLOSED_ROTATION = `
  SELECT NOT EXISTS (
    SELECT FROM key_rotations WHERE finished_at IS NULL OR finished_at > now() - interval '1 minute'
  ) AS settled`;
