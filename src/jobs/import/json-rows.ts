import { AppError } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/strict-json';
import { asUtf8, JSON_TEXT } from './file-encoding';
import { BrokenFileError, rowErrorsOf, type ImportRow } from './import-row';
import { JsonArraySplitter } from './split-json-array';

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
