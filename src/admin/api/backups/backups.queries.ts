type SqlQuery = [sql: string, values: unknown[]];

/** A backup's file as its row describes it. */
export interface StoredBackupFile {
  readonly id: number;
  readonly store: 'folder' | 's3';
  readonly fileName: string;
  readonly sizeBytes: number;
}

/** The state of the backups as the overview needs it. */
export interface BackupState {
  /** When the newest verified backup was taken. */
  readonly verifiedAt: Date | null;
  /** The file of the newest verified backup. */
  readonly file: StoredBackupFile | null;
  /** The latest finished backup. */
  readonly latest: {
    readonly id: number;
    readonly status: 'verified' | 'failed';
    readonly error: string | null;
  } | null;
  readonly isUnderWay: boolean;
}

const BACKUP_COLUMNS = `
  id, status, started_by AS "startedBy", started_by_id AS "startedById", reason, created_at AS "createdAt", store,
  file_name AS "fileName", size_bytes AS "sizeBytes", verified_at AS "verifiedAt", figures, error,
  removed_at AS "removedAt"`;

/** Selects one page of the backups, newest first, after the backup `afterId`. */
export function listBackups(afterId: number | null, take: number): SqlQuery {
  return [
    `SELECT ${BACKUP_COLUMNS} FROM backups WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [afterId, take],
  ];
}

/** Selects one backup. */
export function findBackup(id: number): SqlQuery {
  return [`SELECT ${BACKUP_COLUMNS} FROM backups WHERE id = $1`, [id]];
}

/** Selects the queued backup, which serves every further request. */
export function findQueuedBackup(): SqlQuery {
  return [
    `SELECT ${BACKUP_COLUMNS} FROM backups WHERE status = 'pending' AND file_name IS NULL ORDER BY id LIMIT 1`,
    [],
  ];
}

/** Queues a backup. */
export function insertBackup(adminId: number, reason: string): SqlQuery {
  return [
    `INSERT INTO backups (started_by, started_by_id, reason) VALUES ('admin', $1, $2) RETURNING ${BACKUP_COLUMNS}`,
    [adminId, reason],
  ];
}

/** Queues another check of a backup that has a file and is not pending or running. */
export function requestCheck(id: number): SqlQuery {
  return [
    `UPDATE backups SET status = 'pending'
     WHERE id = $1 AND status IN ('verified', 'failed') AND size_bytes IS NOT NULL AND removed_at IS NULL
     RETURNING ${BACKUP_COLUMNS}`,
    [id],
  ];
}

/** A backup being checked again counts as verified until the check fails. */
export const BACKUP_STATE = `
  SELECT
    (SELECT max(b.created_at) FROM backups b WHERE b.verified_at IS NOT NULL AND b.removed_at IS NULL) AS "verifiedAt",
    (SELECT jsonb_build_object('id', b.id, 'store', b.store, 'fileName', b.file_name, 'sizeBytes', b.size_bytes)
     FROM backups b WHERE b.verified_at IS NOT NULL AND b.removed_at IS NULL
     ORDER BY b.created_at DESC, b.id DESC LIMIT 1) AS file,
    (SELECT jsonb_build_object('id', b.id, 'status', b.status, 'error', b.error) FROM backups b
     WHERE b.status IN ('verified', 'failed') ORDER BY b.id DESC LIMIT 1) AS latest,
    EXISTS (SELECT FROM backups b WHERE b.status IN ('pending', 'running')) AS "isUnderWay"`;

/** Number of stored backups that need each master key. */
export const BACKUPS_BY_KEY = `
  SELECT key AS id, count(*) AS backups FROM backups b, unnest(b.master_keys) AS key
  WHERE b.size_bytes IS NOT NULL AND b.removed_at IS NULL GROUP BY key`;
