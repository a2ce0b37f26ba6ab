import { BrokenFileError } from './import-row';
import { createHash, randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';

/** Retry-After when the temporary files are full. */
const RETRY_AFTER_SECONDS = 10;

/** A complete body that can be read more than once. */
export interface SpooledBody {
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  /** Reads the body from its start. */
  read(): AsyncIterable<Buffer>;
  /** Deletes the body. */
  close(): Promise<void>;
}

/**
 * Stores bodies in unlinked files, which disappear when they are closed. Limits the bytes of all files of the process
 * (IMPORT_SPOOL_BYTES) and the time a body may take to arrive (HTTP_REQUEST_TIMEOUT_MS).
 */
@Injectable()
export class BodySpool {
  private readonly maxBytes: number;
  private readonly deadlineMs: number;
  private bytes = 0;

  constructor({ limits, http }: Config) {
    this.maxBytes = limits.spoolBytes;
    this.deadlineMs = http.requestTimeoutMs;
  }

  /** Bytes in the open files. */
  get usedBytes(): number {
    return this.bytes;
  }

  /**
   * Reads a body to its end.
   * @param through checks or transforms the bytes while they arrive
   * @throws AppError `service.unavailable` beyond the limit of all files, `request.timeout`; the error of the body
   */
  async receive(
    body: Readable,
    through: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (bytes) => bytes,
  ): Promise<SpooledBody> {
    const deadline = setTimeout(() => body.destroy(new AppError('request.timeout')), this.deadlineMs);
    const file = await openUnlinkedFile();
    const hash = createHash('sha256');
    let length = 0;
    const close = async (): Promise<void> => {
      this.bytes -= length;
      length = 0;
      await file.close();
    };
    try {
      for await (const chunk of through(body as AsyncIterable<Buffer>)) {
        this.reserve(chunk.length);
        length += chunk.length;
        hash.update(chunk);
        await file.writeFile(chunk);
      }
    } catch (error) {
      await close();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    const read = (): AsyncIterable<Buffer> =>
      file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>;
    return { digest: hash.digest('hex'), read, close };
  }

  private reserve(bytes: number): void {
    if (this.bytes + bytes > this.maxBytes) {
      throw new AppError('service.unavailable', {
        detail: `Too many imports are running. Try again in ${RETRY_AFTER_SECONDS} s.`,
        headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
      });
    }
    this.bytes += bytes;
  }
}

/** Opens a file and unlinks it: the handle keeps the bytes, and nothing remains when the process ends. */
async function openUnlinkedFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `gigvault-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

/** Remedy for a file in another encoding or format. */
export const SAVE_AS_UTF8 = 'Save it as CSV (UTF-8) and send that file.';

/** Bytes that identify the format and the encoding of a file. */
const SIGNATURE_BYTES = 8;

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_MARKS: readonly (readonly [Buffer, string])[] = [
  [Buffer.from([0xff, 0xfe]), 'utf-16le'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
];

/** The first bytes of files that are sent as CSV by mistake. */
const OTHER_FORMATS: readonly (readonly [Buffer, string])[] = [
  [Buffer.from([0xff, 0xfe, 0, 0]), 'a text in UTF-32'],
  [Buffer.from([0, 0, 0xfe, 0xff]), 'a text in UTF-32'],
  [Buffer.from('PK\x03\x04'), 'a workbook (.xlsx or .ods) or another ZIP file'],
  [Buffer.from('PK\x05\x06'), 'an empty ZIP file'],
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), 'a workbook (.xls)'],
  [Buffer.from([0x1f, 0x8b]), 'compressed (gzip)'],
  [Buffer.from('%PDF'), 'a PDF'],
  [Buffer.from('{\\rtf'), 'a rich text document'],
  [Buffer.from('7z\xbc\xaf', 'latin1'), 'an archive (.7z)'],
  [Buffer.from('Rar!'), 'an archive (.rar)'],
  [Buffer.from('BZh'), 'compressed (bzip2)'],
  [Buffer.from('SQLite'), 'a database'],
  [Buffer.from('PAR1'), 'a Parquet file'],
];

/** The first character of texts that are sent as CSV by mistake. */
const OTHER_TEXTS: readonly (readonly [string, string])[] = [
  ['<', `an HTML or XML document, not CSV. ${SAVE_AS_UTF8}`],
  ['[', 'JSON, not CSV. Send it as application/json.'],
  ['{', 'JSON, not CSV. Send one object a line as application/x-ndjson, or an array as application/json.'],
];

/** Checks the header. @throws BrokenFileError for the start of another format */
export function assertCsvHeader(cells: readonly string[]): void {
  const [first = ''] = cells;
  const [, format] = OTHER_TEXTS.find(([start]) => first.startsWith(start)) ?? [];
  if (format) throw new BrokenFileError(1, `The file is ${format}`);
  if (cells.some((cell) => /[\0-\x08\x0e-\x1f]/.test(cell)))
    throw new BrokenFileError(1, `The file is binary, not CSV. ${SAVE_AS_UTF8}`);
}

/** The expected format of a file, and the remedy for another one. */
interface ExpectedFormat {
  readonly name: string;
  readonly remedy: string;
}

const CSV: ExpectedFormat = { name: 'CSV', remedy: SAVE_AS_UTF8 };

/** A JSON array, or one JSON object per line. */
export const JSON_TEXT: ExpectedFormat = { name: 'JSON', remedy: 'Save the text as UTF-8 and send that.' };

/**
 * Yields the file's text in UTF-8 without its byte order mark. Converts UTF-16 that has a mark.
 * @throws BrokenFileError for a workbook or another format, for UTF-16 without its mark, and for invalid UTF-16
 */
export async function* asUtf8(body: AsyncIterable<Buffer>, expected: ExpectedFormat = CSV): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  let decode = (bytes: Buffer): Buffer => bytes;
  for await (const chunk of body) {
    if (!start) {
      yield decode(chunk);
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < SIGNATURE_BYTES) continue;
    decode = createDecoder(start, expected);
    yield decode(start);
    start = undefined;
  }
  if (start) {
    decode = createDecoder(start, expected);
    yield decode(start);
  }
  yield decode(END);
}

/** Marks the end of the input for a decoder. */
const END = Buffer.alloc(0);

function createDecoder(start: Buffer, { name, remedy }: ExpectedFormat): (bytes: Buffer) => Buffer {
  const [, format] = OTHER_FORMATS.find(([signature]) => startsWith(start, signature)) ?? [];
  if (format) throw new BrokenFileError(1, `The file is ${format}, not ${name}. ${remedy}`);
  const [, encoding] = UTF16_MARKS.find(([mark]) => startsWith(start, mark)) ?? [];
  if (encoding) return createUtf16Decoder(encoding, remedy);
  if (looksLikeUtf16(start)) throw new BrokenFileError(1, `The file is UTF-16 without a byte order mark. ${remedy}`);
  return (bytes) => (bytes === start && startsWith(bytes, UTF8_MARK) ? bytes.subarray(UTF8_MARK.length) : bytes);
}

function createUtf16Decoder(encoding: string, remedy: string): (bytes: Buffer) => Buffer {
  const decoder = new TextDecoder(encoding, { fatal: true });
  return (bytes) => {
    try {
      return Buffer.from(decoder.decode(bytes, { stream: bytes !== END }));
    } catch {
      throw new BrokenFileError(1, `The file is not valid UTF-16. ${remedy}`);
    }
  };
}

/** Detects UTF-16: a column's name starts with an ASCII character, which has a NUL before or after it. */
function looksLikeUtf16(start: Buffer): boolean {
  return start.length > 1 && (start[0] === 0) !== (start[1] === 0);
}

function startsWith(bytes: Buffer, signature: Buffer): boolean {
  return bytes.subarray(0, signature.length).equals(signature);
}
