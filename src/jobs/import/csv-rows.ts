import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { parse, type Parser } from 'csv-parse';
import type { FieldError } from '../../platform/errors/app-error';
import { isUnstorable } from '../../platform/http/validation/fields';
import { columnsOf, type CsvColumns } from './csv-columns';
import { assertCsvHeader, asUtf8, SAVE_AS_UTF8 } from './import-file';
import { countLineEnds, separate, type SeparatedText, type Separator } from './csv-separator';
import { BrokenFileError, toRowErrors, type ImportRow } from './import-row';
import { textOfCell } from './cell-readers';

const MAX_ROW_BYTES = 1_048_576;

/** Limit of separators in a row, including those within values: the longest description may consist of 50,000. */
const MAX_ROW_SEPARATORS = 65_536;

/** Size limit of the header, enough for several times the names of all columns. */
const MAX_HEADER_BYTES = 8_192;

/** Bytes per chunk for the parser; fewer while it reads the header. */
const CHUNK_BYTES = 16_384;
const HEADER_CHUNK_BYTES = 1_024;

/** Chunks that may be buffered in the parser when it requests the next. */
const CHUNKS_AHEAD = 4;

const [NEWLINE, CARRIAGE_RETURN] = [10, 13];

/**
 * Reads the rows of a CSV file. Its first line names the columns: the fields of POST /v1/jobs in camelCase or
 * snake_case, or the columns of an Upwork listing. Values are separated by a comma, a semicolon, a tab or `|`, rows by
 * any line ending; a quote inside an unquoted value is an ordinary character. Empty rows and empty cells after the last
 * column are skipped. A row with a wrong number of values, or one that is not UTF-8, becomes a row with errors.
 * @throws BrokenFileError for an empty file, another format or encoding, unknown columns, and a quote without an end
 * @see RFC 4180
 */
export async function* readCsv(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  const breaks: Break[] = [];
  const source = await separate(asUtf8(body));
  let columns: CsvColumns | undefined;
  let header: readonly Buffer[] = [];
  let row = 0;
  for await (const cells of parseRecords(source, breaks)) {
    if (cells.every(isBlank)) continue;
    if (!columns) {
      header = cells;
      columns = columnsOf(readHeader(cells), source.separator);
    } else if (!isRepeated(header, cells)) {
      const read = readRow(columns, (row += 1), cells);
      if (row === 1 && isNotUtf8(read)) throw new BrokenFileError(1, NOT_UTF8);
      yield read;
    }
  }
  const [broken] = breaks;
  if (broken) throw new BrokenFileError(row + 1, `${broken.message} (line ${broken.line})`);
  if (!columns) throw new BrokenFileError(1, 'The file is empty.');
}

const NOT_UTF8 = `The file is not UTF-8. ${SAVE_AS_UTF8}`;

/** The place where parsing fails, and the reason. */
interface Break {
  readonly message: string;
  /** Number of records before it. */
  readonly records: number;
  /** Line of the record that failed. */
  line?: number;
}

/**
 * Yields the records up to the first break, which it adds to `breaks`; an error of csv-parse would discard the records
 * before it. Counts them here, because `on_record` leaves garbage that only a full collection frees.
 */
async function* parseRecords(
  { separator, text, linesBefore }: SeparatedText,
  breaks: Break[],
): AsyncGenerator<Buffer[]> {
  let line = linesBefore + 1;
  const parser = parse({
    // Cells are bytes, so that an invalid byte fails only its row.
    encoding: null,
    delimiter: separator,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    // Accepts white space before an opening quote.
    ltrim: true,
    skip_empty_lines: true,
    // Counts the values only; `limitRowSize` counts the separators between them.
    max_record_size: MAX_ROW_BYTES,
    skip_records_with_error: true,
    on_skip: (error) => {
      breaks.push({ message: describeError(error?.code), records: Number(error?.['records']) });
      return undefined;
    },
  });
  const source = Readable.from(limitRowSize(text, separator, parser, breaks));
  source.on('error', (error) => parser.destroy(error));
  try {
    let records = 0;
    for await (const record of source.pipe(parser) as unknown as AsyncIterable<Buffer[]>) {
      if (breaks[0] && records >= breaks[0].records) continue;
      records += 1;
      yield record;
      line += 1 + record.reduce((count, cell) => count + countLineEndsInCell(cell), 0);
    }
    // Empty lines are not records. All of them precede a break.
    if (breaks[0]) breaks[0].line = line + parser.info.empty_lines;
  } finally {
    // Stops reading a file that is refused at its header.
    source.destroy();
  }
}

/**
 * Passes the bytes on, one chunk per turn of the event loop, until a row is too long, which it adds to `breaks`. The
 * parser itself does not limit the number of empty values in a row.
 */
async function* limitRowSize(
  body: AsyncIterable<Buffer>,
  separator: Separator,
  { info }: Parser,
  breaks: Break[],
): AsyncGenerator<Buffer> {
  const separatorByte = separator.charCodeAt(0);
  let [ended, bytes, separators] = [0, 0, 0];
  for await (const chunk of body) {
    for (let start = 0, size: number; start < chunk.length; start += size) {
      const { records, empty_lines: blank } = info;
      if (records + blank !== ended) [ended, bytes, separators] = [records + blank, 0, 0];
      size = records === 0 ? HEADER_CHUNK_BYTES : CHUNK_BYTES;
      const maxBytes = records === 0 ? MAX_HEADER_BYTES : MAX_ROW_BYTES;
      const ahead = CHUNKS_AHEAD * size;
      if (bytes > maxBytes + ahead) return void breaks.push({ message: describeTooLong(`${maxBytes} bytes`), records });
      if (separators > MAX_ROW_SEPARATORS + ahead) {
        return void breaks.push({ message: describeTooLong(`${MAX_ROW_SEPARATORS} separators`), records });
      }
      const piece = chunk.subarray(start, start + size);
      bytes += piece.length;
      separators += countBytes(separatorByte, piece);
      yield piece;
      await new Promise(setImmediate);
    }
  }
}

function countBytes(byte: number, bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === byte) count += 1;
  return count;
}

function describeTooLong(limit: string): string {
  return `the row exceeds ${limit}; the rest was not read`;
}

function describeError(code: string | undefined): string {
  if (code === 'CSV_MAX_RECORD_SIZE') return describeTooLong(`${MAX_ROW_BYTES} bytes`);
  return 'a quote is opened and never closed; the rest was not read';
}

function countLineEndsInCell(cell: Buffer): number {
  return cell.includes(NEWLINE) || cell.includes(CARRIAGE_RETURN) ? countLineEnds(cell.toString('latin1')) : 0;
}

function readRow(columns: CsvColumns, row: number, all: readonly Buffer[]): ImportRow {
  const { names } = columns;
  // Programs add separators to each row up to the number of the widest row.
  const missing = names.slice(all.length).every((name) => name === '') ? names.length - all.length : 0;
  const cells = all.slice(names.length).every(isBlank)
    ? [...all.slice(0, names.length), ...Array<Buffer>(Math.max(0, missing)).fill(EMPTY)]
    : all;
  if (cells.length !== names.length) {
    const message = `the row has ${cells.length} values, the header ${names.length} columns`;
    return { row, errors: [{ pointer: '', code: 'column_count', message }] };
  }
  const errors = cells.flatMap((cell, index) => findCellErrors(cell, names[index] ?? ''));
  if (errors.length > 0) return { row, errors };
  try {
    return { row, value: columns.read(cells.map((cell) => textOfCell(cell.toString('utf8')))) };
  } catch (error) {
    return { row, errors: toRowErrors(error) };
  }
}

function findCellErrors(cell: Buffer, name: string): FieldError[] {
  if (!isUtf8(cell))
    return [{ pointer: `/${name}`, code: 'not_utf8', message: `${name} is not UTF-8. ${SAVE_AS_UTF8}` }];
  if (!isUnstorable(cell.toString('utf8'))) return [];
  return [{ pointer: `/${name}`, code: 'unstorable_text', message: `${name} contains NUL` }];
}

function isNotUtf8({ errors }: ImportRow): boolean {
  return errors?.some(({ code }) => code === 'not_utf8') ?? false;
}

/** Reads the header. @throws BrokenFileError for a name that is not UTF-8, and for another format */
function readHeader(cells: readonly Buffer[]): string[] {
  if (!cells.every((cell) => isUtf8(cell))) throw new BrokenFileError(1, NOT_UTF8);
  const texts = cells.map((cell) => textOfCell(cell.toString('utf8')));
  assertCsvHeader(texts);
  return texts;
}

/** Returns true for a repeated header, which concatenated files have. */
function isRepeated(header: readonly Buffer[], cells: readonly Buffer[]): boolean {
  return (
    header.length > 1 &&
    header.length === cells.length &&
    header.every((name, index) => name.equals(cells[index] ?? EMPTY))
  );
}

const EMPTY = Buffer.alloc(0);

/** Returns true for a cell of white space of any script and characters without a width. */
function isBlank(cell: Buffer): boolean {
  return (
    cell.length === 0 ||
    (cell.length <= MAX_BLANK_BYTES &&
      cell
        .toString('utf8')
        .replace(/\p{Cf}/gu, '')
        .trim() === '')
  );
}

/** Limit of a cell that is checked for white space; the fields' validation handles longer ones. */
const MAX_BLANK_BYTES = 1_024;
