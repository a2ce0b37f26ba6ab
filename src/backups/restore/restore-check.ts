import { createHash } from 'node:crypto';
import { type DirectConnection, withDirectConnection } from '../../platform/database/driver/direct-connection';
import { migrationNames } from '../../platform/database/schema/migrations';
import { findSchemaProblems } from '../../platform/database/schema/schema-verifier';
import { associatedData, type DataKey } from '../../platform/encryption/data-keys';
import { type EncryptionContext, EncryptionError } from '../../platform/encryption/ciphertext';
import { openSealed } from '../../platform/encryption/encryption.service';
import { type MasterKeys } from '../../platform/encryption/master-keys';
import { countRows, findDifferences, type Manifest, readDatabaseState } from '../storage/manifest';
import { runMigrations } from '../../local-services/database-setup';
import type { Bytes } from '../../platform/encryption/sealed-stream';
import { openBackup } from '../storage/backup-file';
import { BackupError } from '../storage/backup-store';
import { type PostgresTools, restoreArchive } from './postgres-tools';
import type { ScratchCluster } from './scratch-cluster';

/** Where the canary of a backup is sealed. */
export function buildCanaryContext(sealKey: string): EncryptionContext {
  return { table: 'backups', column: 'encrypted_canary', userId: null, sealKey };
}

/** What a canary is known by without being kept. */
export function hashCanary(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface KeyRow {
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

const DATA_KEYS = `SELECT user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey" FROM public.data_keys`;
const DATA_KEY_BY_ID = `${DATA_KEYS} WHERE key_id = $1`;
const DATA_KEYS_OF_USERS = `${DATA_KEYS} WHERE user_id = ANY ($1::bigint[])`;

/** Tables the app reads, with the column that names the tenant: how many rows it sees of this tenant and of others. */
const VISIBLE_ROWS_STATEMENTS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format('SELECT count(*) FILTER (WHERE t.%1$I = $1) AS own, count(*) FILTER (WHERE t.%1$I IS DISTINCT FROM $1) AS others FROM %2$I.%3$I t',
      tenant.attname, n.nspname, c.relname) AS statement
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute tenant ON tenant.attrelid = c.oid AND NOT tenant.attisdropped
    AND tenant.attname = CASE WHEN n.nspname = 'public' AND c.relname = 'users' THEN 'id' ELSE 'user_id' END
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
    AND has_schema_privilege('gigvault_app', n.oid, 'USAGE')
    AND has_column_privilege('gigvault_app', c.oid, tenant.attnum, 'SELECT') ORDER BY 1`;

interface VisibleRows {
  readonly own: number;
  readonly others: number;
}

/**
 * Compares a restored copy with what was read at the instant of the dump, opens a sealed text in it, and sees whether its
 * tenants are parted. One sentence for each fault; empty when it is as good as the original.
 * @param connection of a superuser of the copy
 */
export async function findFaults(
  connection: DirectConnection,
  manifest: Manifest,
  masterKeys: MasterKeys,
): Promise<string[]> {
  await connection.query('BEGIN READ ONLY');
  const found = await readDatabaseState(connection, manifest.sampledUsers);
  await connection.query('COMMIT');
  const faults = findDifferences(manifest, found);
  // Where tables are missing, all that follows would only say so again.
  if (faults.length > 0) return faults;
  return [
    ...(await findSealFaults(connection, manifest, masterKeys)),
    ...(await findCatalogFaults(connection, manifest)),
    ...(await findTenantFaults(connection, manifest)),
  ];
}

async function findSealFaults(
  connection: DirectConnection,
  { backupId, canaryHash: expected, sampledUsers }: Manifest,
  masterKeys: MasterKeys,
): Promise<string[]> {
  const keyOf = async (row: KeyRow | undefined): Promise<DataKey> => {
    if (!row) throw new EncryptionError('its data key is missing');
    return { ...row, key: await masterKeys.unwrap(row.wrappedKey, associatedData(row)) };
  };
  try {
    const [row] = await connection.query<{ sealKey: string; sealed: string }>(
      `SELECT seal_key AS "sealKey", encrypted_canary AS sealed FROM public.backups WHERE id = $1 AND seal_key IS NOT NULL AND encrypted_canary IS NOT NULL`,
      [backupId],
    );
    if (!row) return ['the text sealed for the check is missing'];
    const text = await openSealed(row.sealed, buildCanaryContext(row.sealKey), async (keyId) => {
      const [key] = await connection.query<KeyRow>(DATA_KEY_BY_ID, [keyId]);
      return keyOf(key);
    });
    if (hashCanary(text) !== expected) return ['the text sealed for the check is another one'];
    for (const key of await connection.query<KeyRow>(DATA_KEYS_OF_USERS, [sampledUsers])) await keyOf(key);
    return [];
  } catch (error) {
    if (error instanceof EncryptionError) return [`sealed values do not open: ${error.message}`];
    throw error;
  }
}

/** The rules are those of this release: what an older one made is brought up to it first. */
async function findCatalogFaults(connection: DirectConnection, { migrations }: Manifest): Promise<string[]> {
  const known = migrationNames();
  const unknown = migrations.filter((name) => !known.includes(name));
  if (unknown.length > 0) return [`made by another version of Gigvault, with the migrations ${unknown.join(', ')}`];
  if (migrations.length < known.length) return [];
  return runAsApp(connection, null, () => findSchemaProblems((sql) => connection.query(sql), known));
}

/** As the app's login: each tenant sees all his rows and nobody else's, and nobody sees nothing. */
async function findTenantFaults(connection: DirectConnection, { sampledUsers }: Manifest): Promise<string[]> {
  const tables = await connection.query<{ name: string; statement: string }>(VISIBLE_ROWS_STATEMENTS);
  const tenants = [sampledUsers[0], sampledUsers.at(-1)].filter((id) => id !== undefined);
  const faults: string[] = [];
  for (const tenant of [...new Set(tenants), null]) {
    for (const { name, statement } of tables) {
      const [all] = await connection.query<VisibleRows>(statement, [tenant]);
      const [seen] = await runAsApp(connection, tenant, () => connection.query<VisibleRows>(statement, [tenant]));
      if (!all || !seen) throw new Error('count(*) answered no row');
      if (seen.others > 0 || (tenant === null && seen.own > 0))
        faults.push(`table ${name} shows rows of other tenants`);
      else if (tenant !== null && seen.own < all.own) faults.push(`table ${name} hides rows of their tenant`);
    }
  }
  return [...new Set(faults)];
}

async function runAsApp<T>(connection: DirectConnection, tenant: number | null, work: () => Promise<T>): Promise<T> {
  await connection.query('BEGIN READ ONLY');
  await connection.query(`SELECT set_config('role', 'gigvault_app', true), set_config('app.user_id', $1, true)`, [
    tenant === null ? '' : String(tenant),
  ]);
  const result = await work();
  await connection.query('COMMIT');
  return result;
}

/** How many faults are told; the rest is of the same kind. */
const FAULTS_SHOWN = 5;

/** What the row of a backup says of its file. */
export interface ExpectedFile {
  readonly backupId: number;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The newest that had run. */
  readonly migration: string;
}

/** Counts and hashes bytes as they pass. */
export class StreamDigest {
  sizeBytes = 0;
  private readonly hash = createHash('sha256');

  async *track(bytes: Bytes): AsyncGenerator<Buffer> {
    for await (const chunk of bytes) {
      this.sizeBytes += chunk.length;
      this.hash.update(chunk);
      yield chunk;
    }
  }

  /** In hex, when all has passed. */
  get sha256(): string {
    return this.hash.copy().digest('hex');
  }
}

/** With what backups are checked. */
export interface CheckTools {
  readonly cluster: ScratchCluster;
  readonly tools: PostgresTools;
  readonly masterKeys: MasterKeys;
}

/**
 * Restores a backup into a database of the scratch cluster and compares it with what there was at the instant of the dump:
 * rows of each table, those of some tenants one by one, policies and all else of the schema; a sealed text is opened, and
 * tenants are tried as the app's login. Returns what was compared.
 * @param file the file as its store gives it
 * @throws BackupError with the faults that were found
 */
export async function checkBackup(
  file: Bytes,
  expected: ExpectedFile,
  checkTools: CheckTools,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { cluster, tools, masterKeys } = checkTools;
  const measure = new StreamDigest();
  const { header, manifest, archive } = await openBackup(measure.track(file), masterKeys);
  if (header.name !== expected.fileName) throw new BackupError(`the file is that of ${header.name}`);
  assertMatches(manifest, expected);
  return cluster.withDatabase(async (url) => {
    await restoreArchive(tools, url, archive, signal);
    if (measure.sizeBytes !== expected.sizeBytes || measure.sha256 !== expected.sha256)
      throw new BackupError('the file is not the one that was written: its checksum differs');
    const faults = await withDirectConnection(url, (connection) => findFaults(connection, manifest, masterKeys));
    if (faults.length > 0) {
      throw new BackupError(
        `the restored copy is not what was dumped: ${faults.slice(0, FAULTS_SHOWN).join('; ')}${faults.length > FAULTS_SHOWN ? ` and ${faults.length - FAULTS_SHOWN} more` : ''}`,
      );
    }
    if (manifest.migrations.length < migrationNames().length) await assertMigrates(url);
    return manifest;
  });
}

function assertMatches(manifest: Manifest, { backupId, migration }: ExpectedFile): void {
  if (manifest.backupId !== backupId) throw new BackupError(`the file is that of backup ${manifest.backupId}`);
  if (!manifest.role.seesAllRows)
    throw new BackupError(`it was dumped as ${manifest.role.name}, which does not see all rows`);
  if (manifest.migrations.at(-1) !== migration)
    throw new BackupError(`its schema is that of ${manifest.migrations.at(-1) ?? 'no migration'}, not of ${migration}`);
  if (countRows(manifest) === 0) throw new BackupError('it holds no rows');
}

/** A backup of an earlier release is worth what can be made of it with this one. */
async function assertMigrates(url: string): Promise<void> {
  await runMigrations(buildOwnerUrl(url)).catch((cause: Error) => {
    throw new BackupError(`it is of an earlier release, and its migrations fail: ${cause.message}`, { cause });
  });
}

/** A superuser's address whose sessions act as the owner of the tables, as those of gigvault_migrator do. */
export function buildOwnerUrl(url: string): string {
  const address = new URL(url);
  address.searchParams.set('options', '-c role=gigvault_owner -c search_path=public');
  return address.href;
}
