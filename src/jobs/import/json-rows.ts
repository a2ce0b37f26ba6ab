import { BrokenFileError, type ImportRow, toRowErrors } from './import-row';
import { AppError } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/validation/strict-json';
import { asUtf8, JSON_TEXT } from './import-file';

const BOM = [0xef, 0xbb, 0xbf];
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

/**
 * Splits the chunks of a JSON array into elements without parsing them. It follows only strings and brackets, so one
 * invalid element does not affect the others, and deep nesting needs no stack. It stores at most one element, and of
 * one longer than `maxBytes` only enough to detect that.
 */
export class JsonArraySplitter {
  private state: 'before' | 'within' | 'after' = 'before';
  private chunks: Buffer[] = [];
  private bytes = 0;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  private isBlank = true;
  private bomBytes = 0;
  private row = 1;

  constructor(private readonly maxBytes: number) {}

  /**
   * Yields the elements that end in this chunk.
   * @throws BrokenFileError where the text is not an array, or continues after its end
   */
  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.state !== 'within') {
        this.passOutside(chunk[at]!);
        start = at + 1;
        continue;
      }
      at = this.endOfElement(chunk, at);
      if (at === chunk.length) break;
      this.keep(chunk.subarray(start, at));
      start = at + 1;
      yield* this.take(chunk[at] === CLOSE_BRACKET);
    }
    if (this.state === 'within') this.keep(chunk.subarray(start));
  }

  /** Checks the end of the text. @throws BrokenFileError where the array has not ended */
  end(): void {
    if (this.state === 'after') return;
    if (this.state === 'before') throw new BrokenFileError(1, 'The file is empty.');
    throw new BrokenFileError(this.row, 'The array does not end. The rest was not read.');
  }

  /** Skips what surrounds the array. */
  private passOutside(byte: number): void {
    if (isSpace(byte)) return;
    if (this.state === 'after') throw new BrokenFileError(this.row, 'Something follows the end of the array.');
    if (byte === BOM[this.bomBytes]) this.bomBytes += 1;
    else if (byte === OPEN_BRACKET) this.state = 'within';
    else
      throw new BrokenFileError(
        1,
        'The body must be a JSON array of jobs. Send NDJSON as application/x-ndjson, CSV as text/csv.',
      );
  }

  /** Returns the index of the comma or bracket that ends the element; without one the length of the chunk. */
  private endOfElement(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (this.isInString) this.passInString(byte);
      else if (byte === QUOTE) this.isInString = true;
      else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) this.depth += 1;
      else if (this.depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET)) return at;
      else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) this.depth -= 1;
      if (this.isBlank && !isSpace(byte)) this.isBlank = false;
    }
    return chunk.length;
  }

  private passInString(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.isInString = false;
  }

  private keep(bytes: Buffer): void {
    if (this.bytes <= this.maxBytes) this.chunks.push(bytes.subarray(0, this.maxBytes + 1 - this.bytes));
    this.bytes += bytes.length;
  }

  private *take(isLast: boolean): Generator<Buffer> {
    const element = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    const isNone = isLast && this.row === 1 && this.isBlank;
    [this.chunks, this.bytes, this.isBlank] = [[], 0, true];
    this.row += 1;
    if (isLast) this.state = 'after';
    if (!isNone) yield element;
  }
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13;
}

/** Row limit of an array; longer files are sent as NDJSON or CSV. */
const MAX_ROWS = 10_000;

/** Size limit of a row; a job with every field at its limit has a fifth of it. */
const MAX_ROW_BYTES = 1_048_576;

/** Limit of values in a row: the 16,384 bytes of its clientInfo hold fewer. */
const MAX_ROW_VALUES = 10_000;

const NEWLINE = 10;

/**
 * Reads the rows of a JSON array. An element that is not valid JSON becomes a row with errors.
 * @throws BrokenFileError where the array is incomplete
 */
export async function* readJsonArray(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  const splitter = new JsonArraySplitter(MAX_ROW_BYTES);
  let row = 0;
  for await (const chunk of asUtf8(body, JSON_TEXT)) {
    for (const element of splitter.push(chunk)) yield parseRow((row += 1), element);
  }
  splitter.end();
}

/**
 * Passes a JSON array through and counts its elements, so that a file with too many is refused before any is stored.
 * @throws AppError `import.too_many_rows`
 */
export async function* limitRows(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const splitter = new JsonArraySplitter(0);
  let count = 0;
  let isBroken = false;
  for await (const chunk of body) {
    try {
      if (!isBroken) for (const _ of splitter.push(chunk)) if ((count += 1) > MAX_ROWS) break;
    } catch (error) {
      // Reading the rows fails at the same place, after the rows before it are stored.
      if (!(error instanceof BrokenFileError)) throw error;
      isBroken = true;
    }
    if (count > MAX_ROWS) {
      const detail = `An array has at most ${MAX_ROWS} rows. Send more as NDJSON or CSV.`;
      throw new AppError('import.too_many_rows', { detail });
    }
    yield chunk;
  }
}

/**
 * Reads one JSON object per line and skips blank lines. An invalid line becomes a row with errors.
 * @throws BrokenFileError for an empty file
 */
export async function* readNdjson(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  let row = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of asUtf8(body, JSON_TEXT)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (end === start && rest.length === 0) {
        start += 1;
        continue;
      }
      const line = rest.length > 0 ? Buffer.concat([...rest, chunk.subarray(start, end)]) : chunk.subarray(start, end);
      [rest, restBytes, start] = [[], 0, end + 1];
      if (!isBlank(line)) yield parseRow((row += 1), line);
    }
    restBytes += chunk.length - start;
    // Of a line that is too long, stores only enough to detect that.
    if (restBytes - (chunk.length - start) <= MAX_ROW_BYTES) rest.push(chunk.subarray(start));
  }
  const line = Buffer.concat(rest);
  if (!isBlank(line)) yield parseRow((row += 1), line);
  if (row === 0) throw new BrokenFileError(1, 'The file is empty.');
}

function parseRow(row: number, json: Buffer): ImportRow {
  if (json.length > MAX_ROW_BYTES) {
    return { row, errors: [{ pointer: '', code: 'row_too_large', message: `the row exceeds ${MAX_ROW_BYTES} bytes` }] };
  }
  if (isBlank(json)) return { row, errors: [{ pointer: '', code: 'malformed_json', message: 'the row is missing' }] };
  try {
    return { row, value: parseStrictJson(json, MAX_ROW_VALUES) };
  } catch (error) {
    return { row, errors: toRowErrors(error) };
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 10 || byte === 13);
}
