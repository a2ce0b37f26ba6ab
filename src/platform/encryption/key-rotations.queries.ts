/** A change of the master key, as it stands. */
export interface KeyRotation {
  readonly id: number;
  readonly keyId: string;
  readonly startedAt: Date;
  /** null: not all processes have the key yet, and the old one wraps. */
  readonly promotedAt: Date | null;
  /** null: something may still be wrapped with another key. */
  readonly finishedAt: Date | null;
}

const COLUMNS = `id, key_id AS "keyId", started_at AS "startedAt", promoted_at AS "promotedAt", finished_at AS "finishedAt"`;

/**
 * Begins a rotation to the key $1, or goes on with the open one; that turns to the key $1 when $2, because keys come from
 * the settings and they have changed again.
 */
export const BEGIN_ROTATION = `
  INSERT INTO key_rotations AS r (key_id) VALUES ($1)
  ON CONFLICT ((finished_at IS NULL)) WHERE finished_at IS NULL DO UPDATE SET key_id = CASE WHEN $2 THEN excluded.key_id ELSE r.key_id END
  RETURNING ${COLUMNS}`;

/** Notes a rotation to the key $1 that nobody has asked for, unless one is open. */
export const RECORD_ROTATION = `
  INSERT INTO key_rotations (key_id) VALUES ($1) ON CONFLICT ((finished_at IS NULL)) WHERE finished_at IS NULL DO NOTHING`;

export const OPEN_ROTATION = `SELECT ${COLUMNS} FROM key_rotations WHERE finished_at IS NULL`;

export const LATEST_ROTATION = `SELECT ${COLUMNS} FROM key_rotations ORDER BY id DESC LIMIT 1`;

/** The key of the open rotation wraps from now on. */
export const MARK_PROMOTED = `UPDATE key_rotations SET promoted_at = coalesce(promoted_at, now()) WHERE finished_at IS NULL AND key_id = $1`;

export const MARK_FINISHED = `UPDATE key_rotations SET finished_at = now() WHERE finished_at IS NULL AND key_id = $1 AND promoted_at IS NOT NULL`;

/** A data key that a process wrapped before it saw the promotion is in the table a minute later, or not at all. */
export const CLOSED_ROTATION = `
  SELECT NOT EXISTS (SELECT FROM key_rotations WHERE finished_at IS NULL OR finished_at > now() - interval '1 minute') AS settled`;
