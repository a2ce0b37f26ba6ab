import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrapDatabase } from '../launcher/bootstrap';
import { migrate } from '../launcher/migrations';
import type { Role } from '../launcher/roles';
import { withDirectConnection, type DirectConnection } from '../platform/database/direct-connection';
import type { MasterKeys } from '../platform/encryption/master-keys';
import type { Bytes } from '../platform/encryption/sealed-stream';
import { BackupError } from './backup-error';
import { openBackup, type BackupHeader } from './backup-file';
import { readFileName, type BackupStore } from './backup-store';
import type { Manifest } from './manifest';
import { restoreArchive } from './postgres-archive';
import { findTools } from './postgres-tools';
import { asOwner, Measure } from './restore-check';
import { faultsOf } from './restored-copy';
import {
  ADOPT,
  CLOSE_CONNECTIONS,
  ERASE,
  ERASED_SINCE,
  IS_THERE,
  NAMED,
  NUMBER_FROM,
  TABLES,
  VERSION,
} from './restore-database.queries';

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
  readonly isForced: boolean;
  /** Where the file is, and the names of those beside it: later ones tell whom to erase again. */
  readonly store: BackupStore;
  readonly others: readonly string[];
}

/** What was done. */
export interface RestoreReport {
  readonly manifest: Manifest;
  /** Where the database that was there is now. */
  readonly keptAs: string | null;
  readonly migrationsRun: readonly string[];
  /** Users erased after the backup was taken, and now again. */
  readonly erasedAgain: readonly number[];
}

/** A file that was read to its end. */
export interface WholeFile {
  readonly header: BackupHeader;
  readonly manifest: Manifest;
  readonly measure: Measure;
}

/**
 * Reads a backup to its end without restoring it: only what is whole and ours may touch a database.
 * @throws BackupError when it is neither
 */
export async function readWhole(file: Bytes, masterKeys: MasterKeys): Promise<WholeFile> {
  const measure = new Measure();
  const { header, manifest, archive } = await openBackup(measure.of(file), masterKeys);
  for await (const piece of archive) void piece;
  return { header, manifest, measure };
}

/**
 * Puts a backup in the place of a database: it is restored beside it, compared as every backup is, brought up to this
 * release, and only then given the name. Whoever was erased since is erased again, as far as later backups and the
 * database that was there tell.
 * @throws BackupError; then everything is as it was
 */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoreReport> {
  const { read, target, masterKeys, isForced } = options;
  const whole = await readWhole(read(), masterKeys);
  const { manifest } = whole;
  const name = decodeURIComponent(new URL(target).pathname.slice(1));
  const at = (database: string): string =>
    Object.assign(new URL(target), { pathname: `/${encodeURIComponent(database)}` }).href;
  const onServer = <T>(work: (connection: DirectConnection) => Promise<T>) =>
    withDirectConnection(at('postgres'), work);
  const major = await onServer((connection) => serverOf(connection, manifest));
  const isThere = await onServer(async (connection) => (await connection.query(IS_THERE, [name])).length > 0);
  const tables = isThere
    ? (await withDirectConnection(at(name), (connection) => connection.query(TABLES))).length
    : undefined;
  const holds = tables !== undefined && tables > 0;
  if (holds && !isForced)
    throw new BackupError(
      `the database ${name} holds ${tables} tables: with --force it is kept under another name, and the backup takes its place`,
    );
  const erased = await erasedSince(manifest, holds ? at(name) : undefined, options);
  const side = `${name}_restored_${randomBytes(4).toString('hex')}`;
  try {
    await bootstrapDatabase(at, side, options.passwords);
    const { archive } = await openBackup(read(), masterKeys);
    await restoreArchive(await findTools(major), at(side), archive);
    await withDirectConnection(at(side), (connection) => complete(connection, whole, options));
    const migrationsRun = await migrate(asOwner(at(side)));
    const erasedAgain = await withDirectConnection(at(side), (connection) => eraseAgain(connection, erased));
    const keptAs = await onServer((connection) => exchange(connection, name, side, tables));
    return { manifest, keptAs, migrationsRun, erasedAgain };
  } catch (error) {
    await onServer((connection) => named(connection, 'DROP DATABASE IF EXISTS %I WITH (FORCE)', side)).catch(
      () => undefined,
    );
    throw error;
  }
}

async function serverOf(connection: DirectConnection, { serverVersion }: Manifest): Promise<number> {
  const [server] = await connection.query<{ major: number; isSuperuser: boolean }>(VERSION);
  const { major = 0, isSuperuser = false } = server ?? {};
  if (!isSuperuser) throw new BackupError('the login of the target is no superuser: roles and extensions need one');
  if (major < Number.parseInt(serverVersion, 10))
    throw new BackupError(`the backup is of PostgreSQL ${serverVersion}, the target is an older one: ${major}`);
  return major;
}

/** Compares, and writes into the row of the backup what it could not know of itself. */
async function complete(
  connection: DirectConnection,
  { header, manifest, measure }: WholeFile,
  { masterKeys, store, others }: RestoreOptions,
): Promise<void> {
  const faults = await faultsOf(connection, manifest, masterKeys);
  if (faults.length > 0) throw new BackupError(`the restored copy is not what was dumped: ${faults.join('; ')}`);
  const { backupId, migrations } = manifest;
  const keys = [...new Set([header.wrappedKey.split('.')[1], ...manifest.masterKeys])];
  await connection.query(ADOPT, [
    backupId,
    store.kind,
    header.name,
    measure.sizeBytes,
    measure.sha256,
    migrations.at(-1),
    keys,
  ]);
  const numbers = others.map((name) => readFileName(name)?.id ?? 0);
  await connection.query(NUMBER_FROM, [Math.max(backupId, ...numbers)]);
}

/** Who was erased after the backup was taken: the database that was there knows, and so does every later backup. */
async function erasedSince(
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
  const later = others.filter((name) => (readFileName(name)?.takenAt.getTime() ?? 0) > Date.parse(manifest.takenAt));
  for (const name of later.sort().reverse()) {
    // The newest that opens knows all that those before it know.
    const opened = await openBackup(store.read(name), masterKeys).catch(() => undefined);
    if (!opened) continue;
    for (const { userId, at } of opened.manifest.erased) if (at > manifest.takenAt) ids.add(userId);
    break;
  }
  return [...ids];
}

async function eraseAgain(connection: DirectConnection, ids: readonly number[]): Promise<number[]> {
  const done: number[] = [];
  for (const id of ids) if ((await connection.query(ERASE, [id])).length > 0) done.push(id);
  await connection.query('ANALYZE');
  return done;
}

/** Gives the restored database the name; what had it is dropped when it is empty, else kept under another. */
async function exchange(
  connection: DirectConnection,
  name: string,
  side: string,
  tables: number | undefined,
): Promise<string | null> {
  if (tables === 0) await named(connection, 'DROP DATABASE %I WITH (FORCE)', name);
  const keptAs = tables ? await putAside(connection, name) : null;
  try {
    await renamed(connection, side, name);
  } catch (error) {
    if (keptAs !== null) await renamed(connection, keptAs, name);
    throw error;
  }
  return keptAs;
}

/** Renames a database in a moment in which nobody can be connected to it. */
async function putAside(connection: DirectConnection, name: string): Promise<string> {
  const keptAs = `${name}_before_${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
  let now = name;
  await named(connection, 'ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', name);
  try {
    await connection.query(CLOSE_CONNECTIONS, [name]);
    await renamed(connection, name, keptAs);
    now = keptAs;
  } finally {
    await named(connection, 'ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', now);
  }
  return keptAs;
}

/** A connection that was told to end may take a moment. */
async function renamed(connection: DirectConnection, from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await named(connection, 'ALTER DATABASE %I RENAME TO %I', from, to);
    } catch (error) {
      if (tries === 50 || (error as { code?: string }).code !== '55006') throw error;
      await sleep(100);
    }
  }
}

async function named(connection: DirectConnection, statement: string, ...names: readonly string[]): Promise<void> {
  const [row] = await connection.query<{ statement: string }>(NAMED, [statement, names]);
  await connection.query(row?.statement ?? '');
}
