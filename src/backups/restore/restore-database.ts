import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrapDatabase, type Role, runMigrations } from '../../local-services/database-setup';
import { withDirectConnection, type DirectConnection } from '../../platform/database/driver/direct-connection';
import type { MasterKeys } from '../../platform/encryption/master-keys';
import type { Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError, type BackupStore, parseFileName } from '../storage/backup-store';
import { openBackup, type BackupHeader } from '../storage/backup-file';
import type { Manifest } from '../storage/manifest';
import { findTools, restoreArchive } from './postgres-tools';
import { buildOwnerUrl, findFaults, StreamDigest } from './restore-check';

export const SERVER_VERSION = `
  SELECT current_setting('server_version_num')::integer / 10000 AS major, current_setting('is_superuser') = 'on' AS "isSuperuser"`;

export const DATABASE_EXISTS = `SELECT 1 AS one FROM pg_database WHERE datname = $1`;

/** What somebody might miss; what extensions bring along nobody does. */
export const USER_TABLES = `
  SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** Fills a statement in with names, which the server quotes, and leaves it to be run. */
export const FORMAT_STATEMENT = `SELECT format($1, VARIADIC $2::text[]) AS statement`;

/** In the row of a backup that the backup itself holds it is still being made, and has no file. */
export const ADOPT_BACKUP = `
  UPDATE public.backups SET status = 'verified', verified_at = now(), store = $2, file_name = $3, size_bytes = $4, sha256 = $5,
    migration = $6, master_keys = $7
  WHERE id = $1 AND status = 'running'`;

/** Numbers that files in the store have already are not given again. */
export const SET_LAST_ID = `SELECT setval(pg_get_serial_sequence('public.backups', 'id'), $1)`;

export const ERASED_SINCE = `
  SELECT DISTINCT user_id AS id FROM public.security_logs
  WHERE event_type = 'audit.forgotten' AND user_id IS NOT NULL AND created_at > $1::timestamptz`;

/** As auth.erase_account() does; tries under his address that were counted without him go with the security log. */
export const ERASE_USER = `
  WITH gone AS (DELETE FROM public.users WHERE id = $1 RETURNING id, role)
  SELECT id, audit.erase_user(id, ''::bytea, role = 'admin') AS told FROM gone`;

export const CLOSE_CONNECTIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`;

/** What is restored, and where. */
export interface RestoreOptions {
  /** Reads the file from its beginning. */
  readonly read: () => Bytes;
  /** A superuser's address of the database that the backup becomes; it need not exist. */
  readonly target: string;
  /** Of the logins, where they are not set already. */
  readonly passwords?: Record<Role, string>;
  readonly masterKeys: MasterKeys;
  /** A database that holds something is kept under another name; without this it is refused. */
  readonly canReplace: boolean;
  /** Where the file is, and the names of those beside it: later ones tell whom to erase again. */
  readonly store: BackupStore;
  readonly others: readonly string[];
}

/** What was done. */
export interface RestoreReport {
  readonly manifest: Manifest;
  /** Where the database that was there is now. */
  readonly oldDatabase: string | null;
  readonly migrationsRun: readonly string[];
  /** Users erased after the backup was taken, and now again. */
  readonly erasedUsers: readonly number[];
}

/** A file that was read to its end. */
export interface ReadFile {
  readonly header: BackupHeader;
  readonly manifest: Manifest;
  readonly digest: StreamDigest;
}

/**
 * Reads a backup to its end without restoring it: only what is whole and ours may touch a database.
 * @throws BackupError when it is neither
 */
export async function readToEnd(file: Bytes, masterKeys: MasterKeys): Promise<ReadFile> {
  const measure = new StreamDigest();
  const { header, manifest, archive } = await openBackup(measure.track(file), masterKeys);
  for await (const chunk of archive) void chunk;
  return { header, manifest, digest: measure };
}

/**
 * Puts a backup in the place of a database: it is restored beside it, compared as every backup is, brought up to this
 * release, and only then given the name. Whoever was erased since is erased again, as far as later backups and the
 * database that was there tell.
 * @throws BackupError; then everything is as it was
 */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoreReport> {
  const { read, target, masterKeys, canReplace: isForced } = options;
  const readFile = await readToEnd(read(), masterKeys);
  const { manifest } = readFile;
  const name = decodeURIComponent(new URL(target).pathname.slice(1));
  const at = (database: string): string =>
    Object.assign(new URL(target), { pathname: `/${encodeURIComponent(database)}` }).href;
  const onServer = <T>(work: (connection: DirectConnection) => Promise<T>) =>
    withDirectConnection(at('postgres'), work);
  const major = await onServer((connection) => checkServer(connection, manifest));
  const isThere = await onServer(async (connection) => (await connection.query(DATABASE_EXISTS, [name])).length > 0);
  const tables = isThere
    ? (await withDirectConnection(at(name), (connection) => connection.query(USER_TABLES))).length
    : undefined;
  const hasTables = tables !== undefined && tables > 0;
  if (hasTables && !isForced)
    throw new BackupError(
      `the database ${name} holds ${tables} tables: with --force it is kept under another name, and the backup takes its place`,
    );
  const erased = await findErasedUsers(manifest, hasTables ? at(name) : undefined, options);
  const side = `${name}_restored_${randomBytes(4).toString('hex')}`;
  try {
    await bootstrapDatabase(at, side, options.passwords);
    const { archive } = await openBackup(read(), masterKeys);
    await restoreArchive(await findTools(major), at(side), archive);
    await withDirectConnection(at(side), (connection) => finishRestore(connection, readFile, options));
    const migrationsRun = await runMigrations(buildOwnerUrl(at(side)));
    const erasedAgain = await withDirectConnection(at(side), (connection) => eraseUsers(connection, erased));
    const keptAs = await onServer((connection) => swapDatabases(connection, name, side, tables));
    return { manifest, oldDatabase: keptAs, migrationsRun, erasedUsers: erasedAgain };
  } catch (error) {
    await onServer((connection) => executeFormatted(connection, 'DROP DATABASE IF EXISTS %I WITH (FORCE)', side)).catch(
      () => undefined,
    );
    throw error;
  }
}

async function checkServer(connection: DirectConnection, { serverVersion }: Manifest): Promise<number> {
  const [server] = await connection.query<{ major: number; isSuperuser: boolean }>(SERVER_VERSION);
  const { major = 0, isSuperuser = false } = server ?? {};
  if (!isSuperuser) throw new BackupError('the login of the target is no superuser: roles and extensions need one');
  if (major < Number.parseInt(serverVersion, 10))
    throw new BackupError(`the backup is of PostgreSQL ${serverVersion}, the target is an older one: ${major}`);
  return major;
}

/** Compares, and writes into the row of the backup what it could not know of itself. */
async function finishRestore(
  connection: DirectConnection,
  { header, manifest, digest: measure }: ReadFile,
  { masterKeys, store, others }: RestoreOptions,
): Promise<void> {
  const faults = await findFaults(connection, manifest, masterKeys);
  if (faults.length > 0) throw new BackupError(`the restored copy is not what was dumped: ${faults.join('; ')}`);
  const { backupId, migrations } = manifest;
  const keys = [...new Set([header.wrappedKey.split('.')[1], ...manifest.masterKeys])];
  await connection.query(ADOPT_BACKUP, [
    backupId,
    store.kind,
    header.name,
    measure.sizeBytes,
    measure.sha256,
    migrations.at(-1),
    keys,
  ]);
  const numbers = others.map((name) => parseFileName(name)?.id ?? 0);
  await connection.query(SET_LAST_ID, [Math.max(backupId, ...numbers)]);
}

/** Who was erased after the backup was taken: the database that was there knows, and so does every later backup. */
async function findErasedUsers(
  manifest: Manifest,
  present: string | undefined,
  { others, store, masterKeys }: RestoreOptions,
): Promise<number[]> {
  const ids = new Set<number>();
  if (present !== undefined) {
    const rows = await withDirectConnection(present, (connection) =>
      connection.query<{ id: number }>(ERASED_SINCE, [manifest.takenAt]),
    ).catch(() => []);
    for (const { id } of rows) ids.add(id);
  }
  const later = others.filter((name) => (parseFileName(name)?.takenAt.getTime() ?? 0) > Date.parse(manifest.takenAt));
  for (const name of later.sort().reverse()) {
    // The newest that opens knows all that those before it know.
    const opened = await openBackup(store.read(name), masterKeys).catch(() => undefined);
    if (!opened) continue;
    for (const { userId, at } of opened.manifest.erased) if (at > manifest.takenAt) ids.add(userId);
    break;
  }
  return [...ids];
}

async function eraseUsers(connection: DirectConnection, ids: readonly number[]): Promise<number[]> {
  const done: number[] = [];
  for (const id of ids) if ((await connection.query(ERASE_USER, [id])).length > 0) done.push(id);
  await connection.query('ANALYZE');
  return done;
}

/** Gives the restored database the name; what had it is dropped when it is empty, else kept under another. */
async function swapDatabases(
  connection: DirectConnection,
  name: string,
  side: string,
  tables: number | undefined,
): Promise<string | null> {
  if (tables === 0) await executeFormatted(connection, 'DROP DATABASE %I WITH (FORCE)', name);
  const keptAs = tables ? await renameOldDatabase(connection, name) : null;
  try {
    await renameDatabase(connection, side, name);
  } catch (error) {
    if (keptAs !== null) await renameDatabase(connection, keptAs, name);
    throw error;
  }
  return keptAs;
}

/** Renames a database in a moment in which nobody can be connected to it. */
async function renameOldDatabase(connection: DirectConnection, name: string): Promise<string> {
  const keptAs = `${name}_before_${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
  let now = name;
  await executeFormatted(connection, 'ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', name);
  try {
    await connection.query(CLOSE_CONNECTIONS, [name]);
    await renameDatabase(connection, name, keptAs);
    now = keptAs;
  } finally {
    await executeFormatted(connection, 'ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', now);
  }
  return keptAs;
}

/** A connection that was told to end may take a moment. */
async function renameDatabase(connection: DirectConnection, from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await executeFormatted(connection, 'ALTER DATABASE %I RENAME TO %I', from, to);
    } catch (error) {
      if (tries === 50 || (error as { code?: string }).code !== '55006') throw error;
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
