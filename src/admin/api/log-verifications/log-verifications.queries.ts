type SqlQuery = [sql: string, values: unknown[]];

/** True for a verification whose worker was lost, or that no worker took. */
const IS_LOST = `(
  status = 'running' AND seen_at < now() - interval '15 minutes'
  OR status = 'pending' AND created_at < now() - interval '1 hour')`;

const COLUMNS = `
  id, CASE WHEN ${IS_LOST} THEN 'failed' ELSE status END AS status, progress, from_time AS "from", until_time AS "to",
  started_by_id AS "startedById", created_at AS "createdAt", started_at AS "startedAt", ended_at AS "endedAt", report,
  CASE WHEN ${IS_LOST} THEN 'its worker was lost' ELSE error END AS error`;

/** Lets two requests at the same time see each other. */
export const LOCK_VERIFICATIONS = `SELECT pg_advisory_xact_lock(hashtextextended('audit verifications', 0))`;

/** Inserts a verification, unless one is not finished. */
export function insertVerification(adminId: number, from: Date | undefined, to: Date | undefined): SqlQuery {
  return [
    `INSERT INTO audit.verifications (started_by_id, from_time, until_time)
     SELECT $1, $2::timestamptz, $3::timestamptz
     WHERE NOT EXISTS (SELECT FROM audit.verifications WHERE status IN ('pending', 'running') AND NOT ${IS_LOST})
     RETURNING ${COLUMNS}`,
    [adminId, from, to],
  ];
}

/** Selects one verification. */
export function findVerification(id: number): SqlQuery {
  return [`SELECT ${COLUMNS} FROM audit.verifications WHERE id = $1`, [id]];
}
