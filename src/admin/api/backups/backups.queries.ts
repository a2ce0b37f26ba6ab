type SqlQuery = [sql: string, values: unknown[]];

/** The file of a backup, as its row describes it. */
export interface StoredBackupFile {
  readonly id: number;
  readonly store: 'folder' | 's3';
  readonly fileName: string;
  readonly sizeBytes: number;
}

/** How well the database is backed up. */
export interface BackupState {
  /** When the newest one that is verified was taken. */
  readonly verifiedAt: Date | null;
  /** The file of that one, as its row describes it. */
  readonly file: StoredBackupFile | null;
  /** The latest that has come to an end. */
  readonly latest: {
    readonly id: number;
    readonly status: 'verified' | 'failed';
    readonly error: string | null;
  } | null;
  readonly isUnderWay: boolean;
}

const BACKUP_COLUMNS = `
  id, status, started_by AS "startedBy", started_by_id AS "startedById", reason, created_at AS "createdAt", store, file_name AS "fileName",
  size_bytes AS "sizeBytes", verified_at AS "verifiedAt", figures, error, removed_at AS "removedAt"`;

/** One page of the backups, newest first, behind the one with this id. */
export function listBackups(afterId: number | null, take: number): SqlQuery {
  return [
    `SELECT ${BACKUP_COLUMNS} FROM backups WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [afterId, take],
  ];
}

/** One backup. */
export function findBackup(id: number): SqlQuery {
  return [`SELECT ${BACKUP_COLUMNS} FROM backups WHERE id = $1`, [id]];
}

/** One that waits serves all who ask. */
export function findQueuedBackup(): SqlQuery {
  return [
    `SELECT ${BACKUP_COLUMNS} FROM backups WHERE status = 'pending' AND file_name IS NULL ORDER BY id LIMIT 1`,
    [],
  ];
}

/** Asks for a backup. */
export function insertBackup(adminId: number, reason: string): SqlQuery {
  return [
    `INSERT INTO backups (started_by, started_by_id, reason) VALUES ('admin', $1, $2) RETURNING ${BACKUP_COLUMNS}`,
    [adminId, reason],
  ];
}

/** Asks for another check of one that has a file and is not being looked at. */
export function requestCheck(id: number): SqlQuery {
  return [
    `UPDATE backups SET status = 'pending'
     WHERE id = $1 AND status IN ('verified', 'failed') AND size_bytes IS NOT NULL AND removed_at IS NULL RETURNING ${BACKUP_COLUMNS}`,
    [id],
  ];
}

/** A backup that is checked again counts as verified until that fails. */
export const BACKUP_STATE = `
  SELECT
    (SELECT max(b.created_at) FROM backups b WHERE b.verified_at IS NOT NULL AND b.removed_at IS NULL) AS "verifiedAt",
    (SELECT jsonb_build_object('id', b.id, 'store', b.store, 'fileName', b.file_name, 'sizeBytes', b.size_bytes) FROM backups b
     WHERE b.verified_at IS NOT NULL AND b.removed_at IS NULL ORDER BY b.created_at DESC, b.id DESC LIMIT 1) AS file,
    (SELECT jsonb_build_object('id', b.id, 'status', b.status, 'error', b.error) FROM backups b
     WHERE b.status IN ('verified', 'failed') ORDER BY b.id DESC LIMIT 1) AS latest,
    EXISTS (SELECT FROM backups b WHERE b.status IN ('pending', 'running')) AS "isUnderWay"`;

/** How many backups that are kept need each master key. */
export const BACKUPS_BY_KEY = `
  SELECT key AS id, count(*) AS backups FROM backups b, unnest(b.master_keys) AS key
  WHERE b.size_bytes IS NOT NULL AND b.removed_at IS NULL GROUP BY key`;
