import { createHash } from 'node:crypto';
import { type DirectConnection, withDirectConnection } from '../../platform/database/driver/direct-connection';
import { migrationNames } from '../../platform/database/schema/migrations';
import { findSchemaProblems } from '../../platform/database/schema/schema-verifier';
import { associatedData, type DataKey } from '../../platform/encryption/data-keys';
import { type EncryptionContext, EncryptionError } from '../../platform/encryption/ciphertext';
import { openSealed } from '../../platform/encryption/encryption.service';
import { type MasterKeys } from '../../platform/encryption/master-keys';
import { countRows, findDifferences, type Manifest, readDatabaseState, openBackup } from '../storage/backup-file';
import { runMigrations } from '../../local-services/database-setup';
import type { Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError } from '../storage/backup-store';
import { type PostgresTools, restoreArchive } from './postgres-tools';
import type { ScratchCluster } from './scratch-cluster';

/** Builds the encryption context of a backup's canary. */
export function buildCanaryContext(sealKey: string): EncryptionContext {
  return { table: 'backups', column: 'encrypted_canary', userId: null, sealKey };
}

/** Hashes a canary: the manifest keeps only the hash. */
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

/** For each table the app reads, a statement that counts its visible rows of one tenant and of others. */
const VISIBLE_ROWS_STATEMENTS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format(
      'SELECT count(*) FILTER (WHERE t.%1$I = $1) AS own, count(*) FILTER (WHERE t.%1$I IS DISTINCT FROM $1) AS others
       FROM %2$I.%3$I t',
      tenant.attname, n.nspname, c.relname
    ) AS statement
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
 * Compares a restored copy with the manifest of the dump, decrypts the canary in it, and checks the isolation of
 * tenants. Returns one sentence per fault; empty when the copy equals the original.
 * @param connection a superuser's connection to the copy
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
  // With tables missing, the other checks would report the same again.
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
  const unwrapKey = async (row: KeyRow | undefined): Promise<DataKey> => {
    if (!row) throw new EncryptionError('its data key is missing');
    return { ...row, key: await masterKeys.unwrap(row.wrappedKey, associatedData(row)) };
  };
  try {
    const [row] = await connection.query<{ sealKey: string; sealed: string }>(
      `SELECT seal_key AS "sealKey", encrypted_canary AS sealed FROM public.backups
       WHERE id = $1 AND seal_key IS NOT NULL AND encrypted_canary IS NOT NULL`,
      [backupId],
    );
    if (!row) return ['the encrypted canary is missing'];
    const text = await openSealed(row.sealed, buildCanaryContext(row.sealKey), async (keyId) => {
      const [key] = await connection.query<KeyRow>(DATA_KEY_BY_ID, [keyId]);
      return unwrapKey(key);
    });
    if (hashCanary(text) !== expected) return ['the encrypted canary has another text'];
    for (const key of await connection.query<KeyRow>(DATA_KEYS_OF_USERS, [sampledUsers])) await unwrapKey(key);
    return [];
  } catch (error) {
    if (error instanceof EncryptionError) return [`encrypted values cannot be decrypted: ${error.message}`];
    throw error;
  }
}

/** Checks the schema by the rules of this release; a backup of an older release is migrated before. */
async function findCatalogFaults(connection: DirectConnection, { migrations }: Manifest): Promise<string[]> {
  const known = migrationNames();
  const unknown = migrations.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    return [`it was made by another version of Gigvault, with the migrations ${unknown.join(', ')}`];
  if (migrations.length < known.length) return [];
  return runAsApp(connection, null, () => findSchemaProblems((sql) => connection.query(sql), known));
}

/** Checks isolation as the app's login: each tenant reads exactly their rows; without a tenant no rows. */
async function findTenantFaults(connection: DirectConnection, { sampledUsers }: Manifest): Promise<string[]> {
  const tables = await connection.query<{ name: string; statement: string }>(VISIBLE_ROWS_STATEMENTS);
  const tenants = [sampledUsers[0], sampledUsers.at(-1)].filter((id) => id !== undefined);
  const faults: string[] = [];
  for (const tenant of [...new Set(tenants), null]) {
    for (const { name, statement } of tables) {
      const [all] = await connection.query<VisibleRows>(statement, [tenant]);
      const [seen] = await runAsApp(connection, tenant, () => connection.query<VisibleRows>(statement, [tenant]));
      if (!all || !seen) throw new Error('count(*) returned no row');
      if (seen.others > 0 || (tenant === null && seen.own > 0))
        faults.push(`table ${name} exposes rows of other tenants`);
      else if (tenant !== null && seen.own < all.own) faults.push(`table ${name} hides rows from their tenant`);
    }
  }
  return [...new Set(faults)];
}

/** Signs a context with a key of the copy, as the superuser, and then becomes the app's login. */
const SIGN_IN_AS_APP = `
  SELECT set_config('app.context',
           encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(b.body, 'UTF8'))), 'hex') || b.body, true),
         set_config('session_authorization', 'gigvault_app', true)
  FROM (SELECT to_char(extract(epoch FROM now()), 'FM0000000000') || E'\\x1f' || $1 AS body) AS b
  LEFT JOIN auth.context_keys k ON k.login = 'gigvault_app' AND k.replaced_at IS NULL`;

async function runAsApp<T>(connection: DirectConnection, tenant: number | null, work: () => Promise<T>): Promise<T> {
  await connection.query('BEGIN READ ONLY');
  await connection.query(SIGN_IN_AS_APP, [tenant === null ? '' : String(tenant)]);
  const result = await work();
  await connection.query('COMMIT');
  return result;
}

/** The number of faults listed in an error. */
const FAULTS_SHOWN = 5;

/** A backup's file as its row describes it. */
export interface ExpectedFile {
  readonly backupId: number;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The newest migration at the time of the dump. */
  readonly migration: string;
}

/** Counts and hashes the bytes of a stream. */
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

  /** The hash of the bytes so far, in hex. */
  get sha256(): string {
    return this.hash.copy().digest('hex');
  }
}

/** The cluster, programs and keys that a check needs. */
export interface CheckTools {
  readonly cluster: ScratchCluster;
  readonly tools: PostgresTools;
  readonly masterKeys: MasterKeys;
}

/**
 * Restores a backup into a database of the scratch cluster and compares it with the manifest of the dump: row counts of
 * each table, the rows of sampled tenants, and the schema with its policies. Decrypts the canary and checks the
 * isolation of tenants as the app's login. Returns the manifest.
 * @param file the file's bytes from its store
 * @throws BackupError with the faults found
 */
export async function checkBackup(
  file: Bytes,
  expected: ExpectedFile,
  checkTools: CheckTools,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { cluster, tools, masterKeys } = checkTools;
  const digest = new StreamDigest();
  const { header, manifest, archive } = await openBackup(digest.track(file), masterKeys);
  if (header.name !== expected.fileName) throw new BackupError(`the file belongs to ${header.name}`);
  assertMatches(manifest, expected);
  return cluster.withDatabase(async (url) => {
    await restoreArchive(tools, url, archive, signal);
    if (digest.sizeBytes !== expected.sizeBytes || digest.sha256 !== expected.sha256)
      throw new BackupError('the file has changed: its size or checksum differs');
    const faults = await withDirectConnection(url, (connection) => findFaults(connection, manifest, masterKeys));
    if (faults.length > 0) throw new BackupError(`the restored copy differs from the dump: ${summarizeFaults(faults)}`);
    if (manifest.migrations.length < migrationNames().length) await assertMigrates(url);
    return manifest;
  });
}

function summarizeFaults(faults: readonly string[]): string {
  const shown = faults.slice(0, FAULTS_SHOWN).join('; ');
  return faults.length > FAULTS_SHOWN ? `${shown} and ${faults.length - FAULTS_SHOWN} more` : shown;
}

function assertMatches(manifest: Manifest, { backupId, migration }: ExpectedFile): void {
  if (manifest.backupId !== backupId) throw new BackupError(`the file belongs to backup ${manifest.backupId}`);
  if (!manifest.role.seesAllRows)
    throw new BackupError(`it was dumped as ${manifest.role.name}, which cannot read all rows`);
  if (manifest.migrations.at(-1) !== migration)
    throw new BackupError(
      `it has the schema of ${manifest.migrations.at(-1) ?? 'no migration'}, its row says ${migration}`,
    );
  if (countRows(manifest) === 0) throw new BackupError('it contains no rows');
}

/** Checks that a backup of an earlier release migrates to this one. */
async function assertMigrates(url: string): Promise<void> {
  await runMigrations(buildOwnerUrl(url)).catch((cause: Error) => {
    throw new BackupError(`it comes from an earlier release and its migrations fail: ${cause.message}`, { cause });
  });
}

/** Builds a superuser's URL whose sessions act as the owner of the tables, as gigvault_migrator does. */
export function buildOwnerUrl(url: string): string {
  const ownerUrl = new URL(url);
  ownerUrl.searchParams.set('options', '-c role=gigvault_owner -c search_path=public');
  return ownerUrl.href;
}
