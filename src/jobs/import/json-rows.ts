import { AppError } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/strict-json';
import { BrokenFileError, rowErrorsOf, type ImportRow } from './import-row';
import { splitJsonArray } from './split-json-array';

/** Longest array a caller may send; longer files come as NDJSON or CSV, which are not held in memory. */
const MAX_ROWS = 10_000;

/** Longest row; a job with every field at its limit is a fifth of it. */
const MAX_ROW_BYTES = 1_048_576;

const NEWLINE = 10;

/**
 * Reads the rows of a JSON array. An element that is not valid JSON is a row of its own errors; the rest stands.
 * @throws AppError `import.too_many_rows` before the first row; BrokenFileError where the array breaks off
 */
export async function* readJsonArray(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const json = Buffer.concat(chunks);
  assertNotTooMany(json);
  let row = 0;
  for (const element of splitJsonArray(json)) yield parseRow((row += 1), element);
}

/**
 * Reads one JSON object a line. Blank lines are none; a line that cannot be read is a row of its own errors.
 * @throws BrokenFileError for a file without a line
 */
export async function* readNdjson(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  let row = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
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

function assertNotTooMany(json: Buffer): void {
  let count = 0;
  try {
    for (const _ of splitJsonArray(json)) if ((count += 1) > MAX_ROWS) break;
  } catch (error) {
    // It breaks again when its rows are read, after those before the break.
    if (!(error instanceof BrokenFileError)) throw error;
  }
  if (count <= MAX_ROWS) return;
  throw new AppError('import.too_many_rows', {
    detail: `an array holds at most ${MAX_ROWS} rows; send more as NDJSON or CSV`,
  });
}

function parseRow(row: number, json: Buffer): ImportRow {
  if (json.length > MAX_ROW_BYTES) {
    return { row, errors: [{ pointer: '', code: 'row_too_large', message: `the row exceeds ${MAX_ROW_BYTES} bytes` }] };
  }
  if (isBlank(json)) return { row, errors: [{ pointer: '', code: 'malformed_json', message: 'the row is missing' }] };
  try {
    return { row, value: parseStrictJson(json) };
  } catch (error) {
    return { row, errors: rowErrorsOf(error) };
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 10 || byte === 13);
}
