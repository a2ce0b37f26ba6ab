import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { EncryptionError } from '../../platform/encryption/ciphertext';
import { KeyRefused } from '../../platform/encryption/kms/key-service';
import type { MasterKeys } from '../../platform/encryption/master-keys';
import { openStream, sealStream, type Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError } from './backup-store';
import type { DirectConnection } from '../../platform/database/driver/direct-connection';

const tableStateSchema = z.object({
  /** Number of rows in the table itself; a partitioned table has none, its partitions are listed. */
  rows: z.int().min(0),
  /** Sum of the row hashes: of the sampled tenants, or of all rows in tables without tenants. */
  sample: z.string(),
});

/** The state of the database, read in the snapshot of the dump. */
const manifestSchema = z.object({
  version: z.literal(1),
  takenAt: z.iso.datetime(),
  /** PostgreSQL's version. */
  serverVersion: z.string(),
  role: z.object({ name: z.string(), seesAllRows: z.boolean() }),
  /** The applied migrations, in order. */
  migrations: z.array(z.string()),
  /** Ids of the master keys that wrap the data keys inside; needed to decrypt secrets after a restore. */
  masterKeys: z.array(z.string()),
  /** The tenants whose rows are compared. */
  sampledUsers: z.array(z.int()),
  tables: z.record(z.string(), tableStateSchema),
  /** Number of policies, triggers, indexes, constraints, functions and views. */
  objects: z.record(z.string(), z.int()),
  /** The id of the backup's own row, which the dump contains. */
  backupId: z.int(),
  /** SHA-256 of the canary encrypted in that row, in hex. */
  canaryHash: z.string(),
  /** Erased users, as far back as the security log reaches; older backups still contain them. */
  erased: z.array(z.object({ userId: z.int(), at: z.iso.datetime() })),
});

/** The state of the database at the instant of the dump. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** Row count and row hashes of one table. */
export type TableState = z.infer<typeof tableStateSchema>;

/** Counts the rows of all tables. */
export function countRows({ tables }: Pick<Manifest, 'tables'>): number {
  return Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);
}

/** Rows are compared as text, which must not depend on server settings. */
const TEXT_FORMAT_SETTINGS = `
  SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
  SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmlbinary = 'base64';
  SET LOCAL search_path = pg_catalog`;

/** The schemas in a dump: not those of PostgreSQL, and not the one that bootstrap.sql creates for keys. */
export const DUMPED_SCHEMAS = `n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'secrets')`;

/** Excludes objects of PostgreSQL itself, of extensions, and of schema secrets. */
const OWN_OBJECTS = `${DUMPED_SCHEMAS}
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )`;

/**
 * One statement per table that counts its rows and sums their hashes: of the users in $1, or of all rows in tables
 * without tenants. A sum is independent of order and counts duplicate rows.
 */
const TABLE_STATEMENTS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format(
      $format$SELECT count(*) AS rows,
        coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) FILTER (WHERE %s), 0)::text AS sample
      FROM ONLY %I.%I t$format$,
      CASE WHEN tenant.attname IS NULL THEN '$1::bigint[] IS NOT NULL'
        ELSE format('t.%I = ANY ($1::bigint[])', tenant.attname) END,
      n.nspname, c.relname
    ) AS statement
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute tenant ON tenant.attrelid = c.oid AND NOT tenant.attisdropped
    AND tenant.attname = CASE WHEN n.nspname = 'public' AND c.relname = 'users' THEN 'id' ELSE 'user_id' END
  WHERE c.relkind = 'r' AND ${OWN_OBJECTS} ORDER BY 1`;

const OBJECT_COUNTS = `
  SELECT kind, count(*) AS count FROM (
    SELECT CASE c.relkind WHEN 'i' THEN 'indexes' WHEN 'I' THEN 'indexes' WHEN 'v' THEN 'views'
      WHEN 'S' THEN 'sequences'
      WHEN 'm' THEN CASE WHEN c.relispopulated THEN 'filled materialized views' ELSE 'empty materialized views' END
      ELSE 'tables' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'i', 'I', 'v', 'm', 'S') AND ${OWN_OBJECTS}
    UNION ALL SELECT 'policies' FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN_OBJECTS}
    UNION ALL SELECT 'tables with forced row security' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relrowsecurity AND c.relforcerowsecurity AND ${OWN_OBJECTS}
    UNION ALL SELECT 'triggers' FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'constraints' FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
      WHERE ${DUMPED_SCHEMAS}
    UNION ALL SELECT 'functions' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE ${DUMPED_SCHEMAS}
        AND NOT EXISTS (
          SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
  ) AS objects GROUP BY kind ORDER BY kind`;

const MIGRATIONS = `SELECT name FROM public.schema_migrations ORDER BY id`;

/** The state that a copy of the database must share. */
export interface DatabaseState {
  readonly migrations: string[];
  readonly tables: Record<string, TableState>;
  readonly objects: Record<string, number>;
}

/**
 * Reads the state that a copy of the database must share.
 * @param connection a login that sees all rows, in a transaction
 * @param sampledUsers the tenants whose rows are hashed
 */
export async function readDatabaseState(
  connection: DirectConnection,
  sampledUsers: readonly number[],
): Promise<DatabaseState> {
  await connection.query(TEXT_FORMAT_SETTINGS);
  const tables: Record<string, TableState> = {};
  for (const { name, statement } of await connection.query<{ name: string; statement: string }>(TABLE_STATEMENTS)) {
    const [state] = await connection.query<TableState>(statement, [sampledUsers]);
    if (state) tables[name] = state;
  }
  const objects = await connection.query<{ kind: string; count: number }>(OBJECT_COUNTS);
  // A database that was never migrated has no list of migrations.
  const migrations = 'public.schema_migrations' in tables ? await connection.query<{ name: string }>(MIGRATIONS) : [];
  return {
    migrations: migrations.map(({ name }) => name),
    tables,
    objects: Object.fromEntries(objects.map(({ kind, count }) => [kind, count])),
  };
}

/** Describes the differences of a copy, one sentence each; empty when there are none. */
export function findDifferences(expected: DatabaseState, found: DatabaseState): string[] {
  const list = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none');
  const missing = expected.migrations.filter((name) => !found.migrations.includes(name));
  const extra = found.migrations.filter((name) => !expected.migrations.includes(name));
  return [
    ...(missing.length + extra.length > 0 ? [`migrations: ${list(missing)} missing, ${list(extra)} unexpected`] : []),
    ...Object.keys(expected.tables).flatMap((name) =>
      findTableDifferences(name, expected.tables[name]!, found.tables[name]),
    ),
    ...Object.keys(found.tables)
      .filter((name) => !(name in expected.tables))
      .map((name) => `table ${name} is unexpected`),
    ...[...new Set([...Object.keys(expected.objects), ...Object.keys(found.objects)])].flatMap((kind) => {
      const [expectedCount, foundCount] = [expected.objects[kind] ?? 0, found.objects[kind] ?? 0];
      return expectedCount === foundCount ? [] : [`${kind}: ${foundCount} of ${expectedCount}`];
    }),
  ];
}

function findTableDifferences(name: string, expected: TableState, found: TableState | undefined): string[] {
  if (!found) return [`table ${name} is missing`];
  if (found.rows !== expected.rows) return [`table ${name}: ${found.rows} of ${expected.rows} rows`];
  return found.sample === expected.sample ? [] : [`table ${name}: the compared rows differ`];
}

const MAGIC = Buffer.from('gigvault backup 1\n');
const LENGTH_BYTES = 4;
const MAX_HEADER_BYTES = 64 * 1_024;
const MAX_MANIFEST_BYTES = 64 * 1_024 * 1_024;

const headerSchema = z.object({
  /** The file's name; detects a file that was renamed or swapped. */
  name: z.string(),
  takenAt: z.iso.datetime(),
  /** The key of this file, wrapped by a master key. */
  wrappedKey: z.string(),
});

/** The part of a backup file that is readable without a key. */
export type BackupHeader = Readonly<z.infer<typeof headerSchema>>;

/** An opened backup file; pg_dump's archive must be read to its end. */
export interface OpenedBackup {
  readonly header: BackupHeader;
  readonly manifest: Manifest;
  readonly archive: Bytes;
}

/**
 * Streams a backup file: a readable header, then manifest and archive, encrypted in chunks with a key of this file.
 * Only the header is plain text.
 */
export async function* writeBackup(
  name: string,
  manifest: Manifest,
  archive: Bytes,
  masterKeys: MasterKeys,
): AsyncGenerator<Buffer> {
  const key = randomBytes(32);
  const wrappedKey = await masterKeys.wrap(key, buildAssociatedData(name));
  const header = Buffer.from(JSON.stringify({ name, takenAt: manifest.takenAt, wrappedKey } satisfies BackupHeader));
  yield Buffer.concat([MAGIC, encodeLength(header), header]);
  yield* sealStream(key, hash(header), prependManifest(manifest, archive));
}

/**
 * Opens a backup file and reads its manifest. The rest is decrypted while `archive` is read; only an archive read to
 * its end without an error proves a complete file.
 * @throws BackupError, also from `archive`, when the file is no backup, altered or truncated, or its key is missing
 */
export async function openBackup(file: Bytes, masterKeys: MasterKeys): Promise<OpenedBackup> {
  const source = new ByteReader(file);
  if (!(await source.take(MAGIC.length)).equals(MAGIC))
    throw new BackupError('the file is not a Gigvault backup, or has an unknown format version');
  const headerBytes = await source.takeLengthPrefixed(MAX_HEADER_BYTES);
  const header = parseJson(headerSchema, headerBytes, 'header');
  const key = await masterKeys.unwrap(header.wrappedKey, buildAssociatedData(header.name)).catch((error: unknown) => {
    throw toBackupError(error);
  });
  const plain = new ByteReader(openStream(key, hash(headerBytes), source.readRest()));
  const manifest = parseJson(manifestSchema, await plain.takeLengthPrefixed(MAX_MANIFEST_BYTES), 'manifest');
  return { header, manifest, archive: plain.readRest() };
}

async function* prependManifest(manifest: Manifest, archive: Bytes): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  yield Buffer.concat([encodeLength(bytes), bytes]);
  yield* archive;
}

/** Reads a stream by lengths. */
class ByteReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private buffer = Buffer.alloc(0);

  constructor(source: Bytes) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer> {
    while (this.buffer.length < length) {
      const chunk = await this.readChunk();
      if (!chunk) throw new BackupError('the file is truncated');
      this.buffer = Buffer.concat([this.buffer, chunk]);
    }
    const taken = this.buffer.subarray(0, length);
    this.buffer = this.buffer.subarray(length);
    return taken;
  }

  async takeLengthPrefixed(max: number): Promise<Buffer> {
    const length = (await this.take(LENGTH_BYTES)).readUInt32BE();
    if (length > max) throw new BackupError('the file is damaged: a length in it is too large');
    return this.take(length);
  }

  async *readRest(): AsyncGenerator<Buffer> {
    if (this.buffer.length > 0) yield this.buffer;
    for (let chunk = await this.readChunk(); chunk; chunk = await this.readChunk()) yield chunk;
  }

  private async readChunk(): Promise<Buffer | undefined> {
    try {
      const next = await this.chunks.next();
      return next.done ? undefined : next.value;
    } catch (error) {
      throw toBackupError(error);
    }
  }
}

function parseJson<T>(schema: z.ZodType<T>, bytes: Buffer, part: string): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new BackupError(`the ${part} of the file is damaged`, { cause });
  }
}

function toBackupError(error: unknown): unknown {
  if (!(error instanceof EncryptionError || error instanceof KeyRefused)) return error;
  const reason = error instanceof KeyRefused ? error.reason : error.message;
  return new BackupError(`the file cannot be decrypted: ${reason}`, { cause: error });
}

function buildAssociatedData(name: string): Buffer {
  return Buffer.from(JSON.stringify(['backups', name]));
}

function hash(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function encodeLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(bytes.length);
  return length;
}
