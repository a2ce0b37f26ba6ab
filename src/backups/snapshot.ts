import { withDirectConnection, type DirectConnection } from '../platform/database/driver/direct-connection';
import { BackupError } from './storage/backup-store';
import { DUMPED_SCHEMAS, type Manifest, readDatabaseState } from './storage/backup-file';

/** Random tenants whose rows are compared, besides the first and the newest. */
const SAMPLED_USERS = 20;

const LOGIN_RIGHTS = `
  SELECT current_user AS name, r.rolsuper OR r.rolbypassrls AS "bypasses",
    ARRAY(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'S') AND ${DUMPED_SCHEMAS}
        AND NOT (has_schema_privilege(n.oid, 'USAGE') AND CASE c.relkind
          WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT') ELSE has_table_privilege(c.oid, 'SELECT') END)
      ORDER BY 1 LIMIT 5) AS closed
  FROM pg_roles r WHERE r.rolname = current_user`;

const SNAPSHOT_FACTS = `
  SELECT now() AS "takenAt", current_setting('server_version') AS "serverVersion",
    ARRAY(SELECT DISTINCT split_part(k.wrapped_key, '.', 2) FROM public.data_keys k ORDER BY 1) AS "masterKeys",
    to_jsonb(ARRAY(SELECT id FROM (
      (SELECT min(u.id) AS id FROM public.users u) UNION (SELECT max(u.id) FROM public.users u)
      UNION (SELECT u.id FROM public.users u ORDER BY random() LIMIT $1)
    ) AS s WHERE id IS NOT NULL ORDER BY id)) AS "sampledUsers",
    coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'userId', e.user_id, 'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      ))
      FROM (SELECT s.user_id, max(s.created_at) AS at FROM public.security_logs s
        WHERE s.event_type = 'audit.forgotten' AND s.user_id IS NOT NULL GROUP BY s.user_id) AS e), '[]') AS erased`;

type SnapshotFacts = Pick<Manifest, 'serverVersion' | 'masterKeys' | 'sampledUsers' | 'erased'> & {
  readonly takenAt: Date;
};

/** The part of the manifest known before the dump. */
export type Canary = Pick<Manifest, 'backupId' | 'canaryHash'>;

/** A consistent view of the database at one instant. */
export interface Snapshot {
  /** The id from pg_export_snapshot(), for pg_dump. */
  readonly id: string;
  readonly manifest: Manifest;
}

/**
 * Refuses a login whose dump would be incomplete. A login bound by row level security sees few rows or none, and
 * pg_dump may not report it.
 * @throws BackupError that names the login and the setting
 */
export async function assertSeesAllRows(connection: DirectConnection): Promise<Manifest['role']> {
  const [login] = await connection.query<{ name: string; bypasses: boolean; closed: string[] }>(LOGIN_RIGHTS);
  if (!login?.bypasses) {
    throw new BackupError(
      `${login?.name ?? 'the login'} is bound by row level security, so its dump would be incomplete: set ` +
        'DATABASE_BACKUP_URL to the login gigvault_backup',
    );
  }
  if (login.closed.length > 0)
    throw new BackupError(
      `${login.name} may not read ${login.closed.join(', ')}: run docker/postgres/bootstrap.sql and the migrations`,
    );
  return { name: login.name, seesAllRows: true };
}

/**
 * Runs `work` with a snapshot that pg_dump can share, and the manifest read in it. Reads each table once.
 * @param url the login gigvault_backup, not through a connection pooler
 * @throws BackupError when that login cannot read everything
 */
export function withSnapshot<T>(url: string, canary: Canary, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return withDirectConnection(url, async (connection) => {
    const role = await assertSeesAllRows(connection);
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const [snapshot] = await connection.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
    const [facts] = await connection.query<SnapshotFacts>(SNAPSHOT_FACTS, [SAMPLED_USERS]);
    if (!snapshot || !facts) throw new Error('a statement without a table returned no row');
    const { takenAt, ...rest } = facts;
    const state = await readDatabaseState(connection, facts.sampledUsers);
    return work({
      id: snapshot.id,
      manifest: { version: 1, takenAt: takenAt.toISOString(), role, ...rest, ...state, ...canary },
    });
  });
}
