import { BrokenFileError, type ImportRow, rowErrorsOf } from './import-row';
import { AppError } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/validation/strict-json';
import { asUtf8, JSON_TEXT } from './file-encoding';

const BOM = [0xef, 0xbb, 0xbf];
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

/**
 * Finds the elements of a JSON array in pieces of its text, without understanding them: only strings and brackets are
 * followed, so that one faulty element does not spoil the others, and nesting of any depth costs no stack. Holds no more
 * than one element, and of one longer than `maxBytes` only so much as shows that it is.
 */
export class JsonArraySplitter {
  private state: 'before' | 'within' | 'behind' = 'before';
  private pieces: Buffer[] = [];
  private bytes = 0;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  private isBlank = true;
  private bomBytes = 0;
  private row = 1;

  constructor(private readonly maxBytes: number) {}

  /**
   * Yields the elements that end in this piece.
   * @throws BrokenFileError where the text is not an array, or goes on behind its end
   */
  *push(piece: Buffer): Generator<Buffer> {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      if (this.state !== 'within') {
        this.passOutside(piece[at]!);
        start = at + 1;
        continue;
      }
      at = this.endOfElement(piece, at);
      if (at === piece.length) break;
      this.keep(piece.subarray(start, at));
      start = at + 1;
      yield* this.take(piece[at] === CLOSE_BRACKET);
    }
    if (this.state === 'within') this.keep(piece.subarray(start));
  }

  /** @throws BrokenFileError where the array has not ended */
  end(): void {
    if (this.state === 'behind') return;
    if (this.state === 'before') throw new BrokenFileError(1, 'the file is empty');
    throw new BrokenFileError(this.row, 'the array does not end; what follows here was not read');
  }

  /** Passes over what surrounds the array. */
  private passOutside(byte: number): void {
    if (isSpace(byte)) return;
    if (this.state === 'behind') throw new BrokenFileError(this.row, 'something follows the end of the array');
    if (byte === BOM[this.bomBytes]) this.bomBytes += 1;
    else if (byte === OPEN_BRACKET) this.state = 'within';
    else throw new BrokenFileError(1, 'the body must be a JSON array of jobs');
  }

  /** Returns the index of the comma or bracket that ends the element; the length of the piece without one. */
  private endOfElement(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length; at += 1) {
      const byte = piece[at]!;
      if (this.isInString) this.passInString(byte);
      else if (byte === QUOTE) this.isInString = true;
      else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) this.depth += 1;
      else if (this.depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET)) return at;
      else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) this.depth -= 1;
      if (this.isBlank && !isSpace(byte)) this.isBlank = false;
    }
    return piece.length;
  }

  private passInString(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.isInString = false;
  }

  private keep(bytes: Buffer): void {
    if (this.bytes <= this.maxBytes) this.pieces.push(bytes.subarray(0, this.maxBytes + 1 - this.bytes));
    this.bytes += bytes.length;
  }

  private *take(isLast: boolean): Generator<Buffer> {
    const element = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    const isNone = isLast && this.row === 1 && this.isBlank;
    [this.pieces, this.bytes, this.isBlank] = [[], 0, true];
    this.row += 1;
    if (isLast) this.state = 'behind';
    if (!isNone) yield element;
  }
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13;
}

/** Longest array a caller may send; longer files come as NDJSON or CSV. */
const MAX_ROWS = 10_000;

/** Longest row; a job with every field at its limit is a fifth of it. */
const MAX_ROW_BYTES = 1_048_576;

/** Most values of a row: the 16,384 bytes of its clientInfo hold fewer. */
const MAX_ROW_VALUES = 10_000;

const NEWLINE = 10;

/**
 * Reads the rows of a JSON array. An element that is not valid JSON is a row of its own errors; the others are kept.
 * @throws BrokenFileError where the array breaks off
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
 * Passes a JSON array on while it counts its elements, so that a file with too many is refused before any is stored.
 * @throws AppError `import.too_many_rows`
 */
export async function* withinMaxRows(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const splitter = new JsonArraySplitter(0);
  let count = 0;
  let isBroken = false;
  for await (const chunk of body) {
    try {
      if (!isBroken) for (const _ of splitter.push(chunk)) if ((count += 1) > MAX_ROWS) break;
    } catch (error) {
      // It breaks again when its rows are read, after those before the break.
      if (!(error instanceof BrokenFileError)) throw error;
      isBroken = true;
    }
    if (count > MAX_ROWS) {
      const detail = `An array holds at most ${MAX_ROWS} rows. Send more as NDJSON or CSV.`;
      throw new AppError('import.too_many_rows', { detail });
    }
    yield chunk;
  }
}

/**
 * Reads one JSON object a line. Blank lines are none; a line that cannot be read is a row of its own errors.
 * @throws BrokenFileError for a file without a line
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
    // Of a line that is too long anyway, no more is kept than shows that it is.
    if (restBytes - (chunk.length - start) <= MAX_ROW_BYTES) rest.push(chunk.subarray(start));
  }
  const line = Buffer.concat(rest);
  if (!isBlank(line)) yield parseRow((row += 1), line);
  if (row === 0) throw new BrokenFileError(1, 'the file is empty');
}

function parseRow(row: number, json: Buffer): ImportRow {
  if (json.length > MAX_ROW_BYTES) {
    return { row, errors: [{ pointer: '', code: 'row_too_large', message: `the row exceeds ${MAX_ROW_BYTES} bytes` }] };
  }
  if (isBlank(json)) return { row, errors: [{ pointer: '', code: 'malformed_json', message: 'the row is missing' }] };
  try {
    return { row, value: parseStrictJson(json, MAX_ROW_VALUES) };
  } catch (error) {
    return { row, errors: rowErrorsOf(error) };
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 10 || byte === 13);
}
