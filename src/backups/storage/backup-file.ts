import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { EncryptionError } from '../../platform/encryption/ciphertext';
import type { MasterKeys } from '../../platform/encryption/master-keys';
import { openStream, sealStream, type Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError } from './backup-store';
import { manifestSchema, type Manifest } from './manifest';

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
  return error instanceof EncryptionError
    ? new BackupError(`the file cannot be decrypted: ${error.message}`, { cause: error })
    : error;
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
