/** A backup to be made or to be checked again. */
export interface QueuedBackup {
  readonly id: number;
  readonly fileName: string | null;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  readonly migration: string | null;
}

/** A backup with a file, as the retention policy sees it. */
export interface StoredBackup {
  readonly id: number;
  readonly fileName: string;
  readonly status: 'pending' | 'running' | 'verified' | 'failed';
  readonly createdAt: Date;
}

const QUEUED_COLUMNS = `id, file_name AS "fileName", size_bytes AS "sizeBytes", sha256, migration`;

export const TAKE_QUEUED = `
  UPDATE backups SET status = 'running', started_at = now(), error = NULL
  WHERE id = (SELECT id FROM backups WHERE status = 'pending' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING ${QUEUED_COLUMNS}`;

export const INSERT_RUNNING = `
  INSERT INTO backups (status, started_by, started_by_id, started_at) VALUES ('running', $1, $2, now())
  RETURNING ${QUEUED_COLUMNS}`;

/** A worker that died during the dump left no usable file; one that died during the check left a file to check. */
export const CLOSE_INTERRUPTED = `
  UPDATE backups SET
    status = CASE WHEN size_bytes IS NULL THEN 'failed' ELSE 'pending' END,
    error = CASE WHEN size_bytes IS NULL THEN 'its worker was lost' END
  WHERE status = 'running' RETURNING id, file_name AS "fileName", status`;

export const SET_CANARY = `UPDATE backups SET seal_key = $2, encrypted_canary = $3 WHERE id = $1`;

export const SET_FILE = `UPDATE backups SET store = $2, file_name = $3, migration = $4, master_keys = $5 WHERE id = $1`;

export const SET_WRITTEN = `UPDATE backups SET size_bytes = $2, sha256 = $3 WHERE id = $1`;

export const SET_VERIFIED = `
  UPDATE backups SET status = 'verified', verified_at = now(), error = NULL, figures = $2 WHERE id = $1`;

/** An incomplete file does not count: its name and store are cleared. */
export const SET_FAILED = `
  UPDATE backups SET status = 'failed', error = $2, verified_at = NULL,
    file_name = CASE WHEN size_bytes IS NULL THEN NULL ELSE file_name END,
    store = CASE WHEN size_bytes IS NULL THEN NULL ELSE store END
  WHERE id = $1`;

export const NEWEST_VERIFIED = `
  SELECT max(created_at) AS at FROM backups WHERE status = 'verified' AND removed_at IS NULL`;

export const STORED_BACKUPS = `
  SELECT id, file_name AS "fileName", status, created_at AS "createdAt" FROM backups
  WHERE size_bytes IS NOT NULL AND removed_at IS NULL ORDER BY created_at DESC, id DESC`;

export const SET_REMOVED = `UPDATE backups SET removed_at = now() WHERE id = $1`;

export const DELETE_OLD = 'SELECT app.purge_backups()';
