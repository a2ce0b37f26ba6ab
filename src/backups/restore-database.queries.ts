export const VERSION = `
  SELECT current_setting('server_version_num')::integer / 10000 AS major, current_setting('is_superuser') = 'on' AS "isSuperuser"`;

export const IS_THERE = `SELECT 1 AS one FROM pg_database WHERE datname = $1`;

/** What somebody might miss; what extensions bring along nobody does. */
export const TABLES = `
  SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** Fills a statement in with names, which the server quotes, and leaves it to be run. */
export const NAMED = `SELECT format($1, VARIADIC $2::text[]) AS statement`;

/** In the row of a backup that the backup itself holds it is still being made, and has no file. */
export const ADOPT = `
  UPDATE public.backups SET status = 'verified', verified_at = now(), store = $2, file_name = $3, size_bytes = $4, sha256 = $5,
    migration = $6, master_keys = $7
  WHERE id = $1 AND status = 'running'`;

/** Numbers that files in the store have already are not given again. */
export const NUMBER_FROM = `SELECT setval(pg_get_serial_sequence('public.backups', 'id'), $1)`;

export const ERASED_SINCE = `
  SELECT DISTINCT user_id AS id FROM public.security_logs
  WHERE event_type = 'audit.forgotten' AND user_id IS NOT NULL AND created_at > $1::timestamptz`;

/** As auth.erase_account() does; tries under his address that were counted without him go with the security log. */
export const ERASE = `
  WITH gone AS (DELETE FROM public.users WHERE id = $1 RETURNING id, role)
  SELECT id, audit.forget_user(id, ''::bytea, role = 'admin') AS told FROM gone`;

export const CLOSE_CONNECTIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`;
