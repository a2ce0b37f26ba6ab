import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrapDatabase, type Role, runMigrations, storeContextKeys } from '../../local-services/database-setup';
import { withDirectConnection, type DirectConnection } from '../../platform/database/driver/direct-connection';
import type { MasterKeys } from '../../platform/encryption/master-keys';
import type { Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError, type BackupStore, parseFileName } from '../storage/backup-store';
import { DUMPED_SCHEMAS, openBackup, type BackupHeader, type Manifest } from '../storage/backup-file';
import { findTools, restoreArchive } from './postgres-tools';
import { buildOwnerUrl, findFaults, StreamDigest } from './restore-check';

export const SERVER_VERSION = `
  SELECT current_setting('server_version_num')::integer / 10000 AS major,
    current_setting('is_superuser') = 'on' AS "isSuperuser"`;

export const DATABASE_EXISTS = `SELECT 1 AS one FROM pg_database WHERE datname = $1`;

/** Tables that hold user data; tables owned by extensions are skipped. */
export const USER_TABLES = `
  SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND ${DUMPED_SCHEMAS}
    AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )`;

/** Returns a statement with names quoted by the server; does not run it. */
export const FORMAT_STATEMENT = `SELECT format($1, VARIADIC $2::text[]) AS statement`;

/** Completes the backup's own row: inside the dump it is still running and has no file. */
export const ADOPT_BACKUP = `
  UPDATE public.backups SET status = 'verified', verified_at = now(), store = $2, file_name = $3, size_bytes = $4,
    sha256 = $5, migration = $6, master_keys = $7
  WHERE id = $1 AND status = 'running'`;

/** Completes the run that made the backup: inside the dump it is still running, and no worker continues it. */
export const COMPLETE_BACKUP_RUN = `
  UPDATE public.task_runs SET outcome = 'succeeded', ended_at = now(), lease_until = NULL
  WHERE task = 'backup' AND outcome = 'running'`;

/** Prevents new backups from reusing the numbers of files in the store. */
export const SET_LAST_ID = `SELECT setval(pg_get_serial_sequence('public.backups', 'id'), $1)`;

export const ERASED_SINCE = `
  SELECT DISTINCT user_id AS id FROM public.security_logs
  WHERE event_type = 'audit.forgotten' AND user_id IS NOT NULL AND created_at > $1::timestamptz`;

/** Erases like auth.erase_account(), except sign-in attempts counted by email address, which expire on their own. */
export const ERASE_USER = `
  WITH gone AS (DELETE FROM public.users WHERE id = $1 RETURNING id, role)
  SELECT id, audit.erase_user(id, ''::bytea, role = 'admin') AS erased FROM gone`;

export const CLOSE_CONNECTIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`;

/** The backup to restore and its target. */
export interface RestoreOptions {
  /** Opens the file and reads it from the beginning. */
  readonly read: () => Bytes;
  /** A superuser's URL of the database to restore to; the database need not exist. */
  readonly target: string;
  /** Passwords of the logins, if not set already. */
  readonly passwords?: Record<Role, string>;
  readonly masterKeys: MasterKeys;
  /** Root of the keys that sign contexts, of the servers that will use the database. A dump does not contain it. */
  readonly contextKey: Buffer;
  /** True when a database with tables may be renamed and replaced; otherwise the restore is refused. */
  readonly canReplace: boolean;
  /** The file's store and the names of all its backups: later ones list users to erase again. */
  readonly store: BackupStore;
  readonly others: readonly string[];
}

/** The result of a restore. */
export interface RestoreReport {
  readonly manifest: Manifest;
  /** The new name of the database that was replaced. */
  readonly oldDatabase: string | null;
  readonly migrationsRun: readonly string[];
  /** Users erased after the backup was taken and erased again now. */
  readonly erasedUsers: readonly number[];
}

/** A backup file that was read to its end. */
export interface ReadFile {
  readonly header: BackupHeader;
  readonly manifest: Manifest;
  readonly digest: StreamDigest;
}

/**
 * Reads a backup to its end without restoring it: only a complete file sealed with these keys may touch a database.
 * @throws BackupError when the file is incomplete or cannot be decrypted
 */
export async function readToEnd(file: Bytes, masterKeys: MasterKeys): Promise<ReadFile> {
  const digest = new StreamDigest();
  const { header, manifest, archive } = await openBackup(digest.track(file), masterKeys);
  for await (const chunk of archive) void chunk;
  return { header, manifest, digest };
}

/**
 * Replaces a database with a backup: restores it next to the target, compares it, migrates it to this release, and only
 * then swaps the names. Erases again the users erased since, as recorded in later backups and the replaced database.
 * @throws BackupError; the target is then unchanged
 */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoreReport> {
  const { read, target, masterKeys, canReplace } = options;
  const readFile = await readToEnd(read(), masterKeys);
  const { manifest } = readFile;
  const name = decodeURIComponent(new URL(target).pathname.slice(1));
  const buildUrl = (database: string): string =>
    Object.assign(new URL(target), { pathname: `/${encodeURIComponent(database)}` }).href;
  const onServer = <T>(work: (connection: DirectConnection) => Promise<T>) =>
    withDirectConnection(buildUrl('postgres'), work);
  const major = await onServer((connection) => checkServer(connection, manifest));
  const exists = await onServer(async (connection) => (await connection.query(DATABASE_EXISTS, [name])).length > 0);
  const tables = exists
    ? (await withDirectConnection(buildUrl(name), (connection) => connection.query(USER_TABLES))).length
    : undefined;
  const hasTables = tables !== undefined && tables > 0;
  if (hasTables && !canReplace)
    throw new BackupError(
      `the database ${name} contains ${tables} tables: use --force to rename it and restore the backup in its place`,
    );
  const erased = await findErasedUsers(manifest, hasTables ? buildUrl(name) : undefined, options);
  const temporaryName = `${name}_restored_${randomBytes(4).toString('hex')}`;
  try {
    await bootstrapDatabase(buildUrl, temporaryName, options.passwords);
    const { archive } = await openBackup(read(), masterKeys);
    await restoreArchive(await findTools(major), buildUrl(temporaryName), archive);
    await storeContextKeys(buildOwnerUrl(buildUrl(temporaryName)), options.contextKey);
    await withDirectConnection(buildUrl(temporaryName), (connection) => finishRestore(connection, readFile, options));
    const migrationsRun = await runMigrations(buildOwnerUrl(buildUrl(temporaryName)));
    const erasedUsers = await withDirectConnection(buildUrl(temporaryName), (connection) =>
      eraseUsers(connection, erased),
    );
    const oldDatabase = await onServer((connection) => swapDatabases(connection, name, temporaryName, tables));
    return { manifest, oldDatabase, migrationsRun, erasedUsers };
  } catch (error) {
    await onServer((connection) =>
      executeFormatted(connection, 'DROP DATABASE IF EXISTS %I WITH (FORCE)', temporaryName),
    ).catch(() => undefined);
    throw error;
  }
}

async function checkServer(connection: DirectConnection, { serverVersion }: Manifest): Promise<number> {
  const [server] = await connection.query<{ major: number; isSuperuser: boolean }>(SERVER_VERSION);
  const { major = 0, isSuperuser = false } = server ?? {};
  if (!isSuperuser)
    throw new BackupError('the login of the target must be a superuser, which roles and extensions need');
  if (major < Number.parseInt(serverVersion, 10))
    throw new BackupError(`the backup is from PostgreSQL ${serverVersion}, the target runs the older version ${major}`);
  return major;
}

/** Compares the copy, and completes the backup's own row and run, which were unfinished inside the dump. */
async function finishRestore(
  connection: DirectConnection,
  { header, manifest, digest }: ReadFile,
  { masterKeys, contextKey, store, others }: RestoreOptions,
): Promise<void> {
  const faults = await findFaults(connection, manifest, { masterKeys, contextKey });
  if (faults.length > 0) throw new BackupError(`the restored copy differs from the dump: ${faults.join('; ')}`);
  const { backupId, migrations } = manifest;
  const keys = [...new Set([header.wrappedKey.split('.')[1], ...manifest.masterKeys])];
  await connection.query(ADOPT_BACKUP, [
    backupId,
    store.kind,
    header.name,
    digest.sizeBytes,
    digest.sha256,
    migrations.at(-1),
    keys,
  ]);
  await connection.query(COMPLETE_BACKUP_RUN);
  const ids = others.map((name) => parseFileName(name)?.id ?? 0);
  await connection.query(SET_LAST_ID, [Math.max(backupId, ...ids)]);
}

/** Lists users erased since the backup, from the database to replace and the newest later backup that opens. */
async function findErasedUsers(
  manifest: Manifest,
  presentUrl: string | undefined,
  { others, store, masterKeys }: RestoreOptions,
): Promise<number[]> {
  const ids = new Set<number>();
  if (presentUrl !== undefined) {
    const rows = await withDirectConnection(presentUrl, (connection) =>
      connection.query<{ id: number }>(ERASED_SINCE, [manifest.takenAt]),
    ).catch(() => []);
    for (const { id } of rows) ids.add(id);
  }
  const later = others.filter((name) => (parseFileName(name)?.takenAt.getTime() ?? 0) > Date.parse(manifest.takenAt));
  for (const name of later.sort().reverse()) {
    // The newest readable backup lists every earlier erasure too.
    const opened = await openBackup(store.read(name), masterKeys).catch(() => undefined);
    if (!opened) continue;
    for (const { userId, at } of opened.manifest.erased) if (at > manifest.takenAt) ids.add(userId);
    break;
  }
  return [...ids];
}

async function eraseUsers(connection: DirectConnection, ids: readonly number[]): Promise<number[]> {
  const erased: number[] = [];
  for (const id of ids) if ((await connection.query(ERASE_USER, [id])).length > 0) erased.push(id);
  await connection.query('ANALYZE');
  return erased;
}

/** Renames the restored database to `name`. The old one is dropped when empty, otherwise renamed. */
async function swapDatabases(
  connection: DirectConnection,
  name: string,
  temporaryName: string,
  tables: number | undefined,
): Promise<string | null> {
  if (tables === 0) await executeFormatted(connection, 'DROP DATABASE %I WITH (FORCE)', name);
  const oldDatabase = tables ? await renameOldDatabase(connection, name) : null;
  try {
    await renameDatabase(connection, temporaryName, name);
  } catch (error) {
    if (oldDatabase !== null) await renameDatabase(connection, oldDatabase, name);
    throw error;
  }
  return oldDatabase;
}

/** Renames a database while no connections to it are allowed. */
async function renameOldDatabase(connection: DirectConnection, name: string): Promise<string> {
  const newName = `${name}_before_${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
  let currentName = name;
  await executeFormatted(connection, 'ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', name);
  try {
    await connection.query(CLOSE_CONNECTIONS, [name]);
    await renameDatabase(connection, name, newName);
    currentName = newName;
  } finally {
    await executeFormatted(connection, 'ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', currentName);
  }
  return newName;
}

/** Renames a database, retrying for five seconds: terminated connections may take a moment to close. */
async function renameDatabase(connection: DirectConnection, from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await executeFormatted(connection, 'ALTER DATABASE %I RENAME TO %I', from, to);
    } catch (error) {
      if (attempt === 50 || (error as { code?: string }).code !== '55006') throw error;
      await sleep(100);
    }
  }
}

async function executeFormatted(
  connection: DirectConnection,
  statement: string,
  ...names: readonly string[]
): Promise<void> {
  const [row] = await connection.query<{ statement: string }>(FORMAT_STATEMENT, [statement, names]);
  await connection.query(row?.statement ?? '');
}
