import { createHash, randomBytes } from 'node:crypto';
import { type DirectConnection, withDirectConnection } from '../../platform/database/driver/direct-connection';
import { ContextSigner } from '../../platform/database/context-signer';
import { migrationNames } from '../../platform/database/schema/migrations';
import { findSchemaProblems } from '../../platform/database/schema/schema-problems';
import { associatedData, type DataKey } from '../../platform/encryption/data-keys';
import { type EncryptionContext, EncryptionError } from '../../platform/encryption/ciphertext';
import { openSealed } from '../../platform/encryption/encryption.service';
import { KeyRefused } from '../../platform/encryption/kms/key-service';
import { type MasterKeys } from '../../platform/encryption/master-keys';
import { countRows, findDifferences, type Manifest, readDatabaseState, openBackup } from '../storage/backup-file';
import { LOGINS, runMigrations, storeContextKeys } from '../../local-services/database-setup';
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

/** The keys that a check of a copy needs. */
interface CopyKeys {
  readonly masterKeys: MasterKeys;
  /** Root of the keys that sign contexts; the copy must know them. */
  readonly contextKey: Buffer;
}

/**
 * Compares a restored copy with the manifest of the dump, decrypts the canary in it, and checks the isolation of
 * tenants. Returns one sentence per fault; empty when the copy equals the original.
 * @param connection a superuser's connection to the copy
 */
export async function findFaults(
  connection: DirectConnection,
  manifest: Manifest,
  { masterKeys, contextKey }: CopyKeys,
): Promise<string[]> {
  await connection.query('BEGIN READ ONLY');
  const found = await readDatabaseState(connection, manifest.sampledUsers);
  await connection.query('COMMIT');
  const faults = findDifferences(manifest, found);
  // With tables missing, the other checks would report the same again.
  if (faults.length > 0) return faults;
  const app = new AppSession(connection, contextKey);
  return [
    ...(await findSealFaults(connection, manifest, masterKeys)),
    ...(await findCatalogFaults(app, manifest)),
    ...(await findTenantFaults(connection, app, manifest)),
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
    if (error instanceof KeyRefused) return [`encrypted values cannot be decrypted: ${error.reason}`];
    if (error instanceof EncryptionError) return [`encrypted values cannot be decrypted: ${error.message}`];
    throw error;
  }
}

/** Checks the schema by the rules of this release; a backup of an older release is migrated before. */
async function findCatalogFaults(app: AppSession, { migrations }: Manifest): Promise<string[]> {
  const known = migrationNames();
  const unknown = migrations.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    return [`it was made by another version of Gigvault, with the migrations ${unknown.join(', ')}`];
  if (migrations.length < known.length) return [];
  return app.run(null, (query) => findSchemaProblems(query, known));
}

/** Checks isolation as the app's login: each tenant reads exactly their rows; without a tenant no rows. */
async function findTenantFaults(
  connection: DirectConnection,
  app: AppSession,
  { sampledUsers }: Manifest,
): Promise<string[]> {
  const tables = await connection.query<{ name: string; statement: string }>(VISIBLE_ROWS_STATEMENTS);
  const tenants = [sampledUsers[0], sampledUsers.at(-1)].filter((id) => id !== undefined);
  const faults: string[] = [];
  for (const tenant of [...new Set(tenants), null]) {
    for (const { name, statement } of tables) {
      const [all] = await connection.query<VisibleRows>(statement, [tenant]);
      const [seen] = await app.run(tenant, (query) => query<VisibleRows>(statement, [tenant]));
      if (!all || !seen) throw new Error('count(*) returned no row');
      if (seen.others > 0 || (tenant === null && seen.own > 0))
        faults.push(`table ${name} exposes rows of other tenants`);
      else if (tenant !== null && seen.own < all.own) faults.push(`table ${name} hides rows from their tenant`);
    }
  }
  return [...new Set(faults)];
}

const START_OF_TRANSACTION = `SELECT (extract(epoch FROM now()) * 1000)::float8 AS ms`;

const SIGN_IN_AS_APP = `
  SELECT set_config('app.context', $1, true), set_config('session_authorization', '${LOGINS.app}', true)`;

/** Transactions of a superuser's connection that have the rights of the app's login and a signed context. */
class AppSession {
  private readonly signer: ContextSigner;

  constructor(
    private readonly connection: DirectConnection,
    contextKey: Buffer,
  ) {
    this.signer = new ContextSigner(contextKey, LOGINS.app);
  }

  /** Runs `work` in a transaction of the tenant. The server's clock dates the signature: it may be another machine. */
  async run<T>(tenant: number | null, work: (query: DirectConnection['query']) => Promise<T>): Promise<T> {
    await this.connection.query('BEGIN READ ONLY');
    const [start] = await this.connection.query<{ ms: number }>(START_OF_TRANSACTION);
    await this.connection.query(SIGN_IN_AS_APP, [this.signer.sign([String(tenant ?? '')], start!.ms)]);
    const result = await work((sql, values) => this.connection.query(sql, values));
    await this.connection.query('COMMIT');
    return result;
  }
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
    const contextKey = randomBytes(32);
    await storeContextKeys(buildOwnerUrl(url), contextKey);
    const keys = { masterKeys, contextKey };
    const faults = await withDirectConnection(url, (connection) => findFaults(connection, manifest, keys));
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
