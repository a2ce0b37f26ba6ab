import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { parse, type Parser } from 'csv-parse';
import type { FieldError } from '../../platform/errors/app-error';
import { isUnstorable } from '../../platform/http/text';
import { columnsOf, type CsvColumns } from './csv-columns';
import { BrokenFileError, rowErrorsOf, type ImportRow } from './import-row';

const MAX_ROW_BYTES = 1_048_576;

/** Most commas of a row, those within its values too: the longest description may consist of 50,000. */
const MAX_ROW_COMMAS = 65_536;

/** The names of all columns, each several times over. */
const MAX_HEADER_BYTES = 8_192;

/** Bytes given to the parser at once; while it reads the header, fewer. */
const PIECE_BYTES = 16_384;
const HEADER_PIECE_BYTES = 1_024;

/** How many pieces may be on their way to the parser when the next is asked for. */
const PIECES_AHEAD = 4;

const COMMA = 44;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads the rows of a CSV file whose first line names the columns: our fields in camelCase or snake_case, or the columns
 * of an Upwork listing. Any line ending; a quote inside an unquoted value is a character like others. A row with a wrong
 * number of values, or one that is not UTF-8, is a row of its own errors.
 * @throws BrokenFileError for an empty file, for columns that are not known, and where a quote is never closed
 * @see RFC 4180
 */
export async function* readCsv(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  const breaks: Break[] = [];
  let columns: CsvColumns | undefined;
  let row = 0;
  for await (const cells of recordsOf(body, breaks)) {
    if (isBlank(cells)) continue;
    if (columns) yield readRow(columns, (row += 1), cells);
    else columns = columnsOf(cells.map((cell) => cell.toString('utf8').trim()));
  }
  const [broken] = breaks;
  if (broken) throw new BrokenFileError(row + 1, broken.message);
  if (!columns) throw new BrokenFileError(1, 'the file is empty');
}

/** Where a file cannot be understood any more, and why. */
interface Break {
  readonly message: string;
  /** How many records came before it. */
  readonly records: number;
}

/**
 * The records up to the first break, which is noted: would csv-parse fail, it would drop what it has read. Its `on_record`
 * leaves garbage of each record that only a full collection takes away, so they are counted here.
 */
async function* recordsOf(body: AsyncIterable<Buffer>, breaks: Break[]): AsyncGenerator<Buffer[]> {
  const parser = parse({
    // Cells come as bytes, so that one wrong byte is the fault of its row.
    encoding: null,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    // Counts the values only; `bounded` counts the commas between them.
    max_record_size: MAX_ROW_BYTES,
    skip_records_with_error: true,
    on_skip: (error) => {
      breaks.push({ message: messageOf(error?.code), records: Number(error?.['records']) });
      return undefined;
    },
  });
  const source = Readable.from(bounded(withoutBom(body), parser, breaks));
  source.on('error', (error) => parser.destroy(error));
  try {
    let records = 0;
    for await (const record of source.pipe(parser) as unknown as AsyncIterable<Buffer[]>) {
      if (breaks[0] && records >= breaks[0].records) continue;
      records += 1;
      yield record;
    }
  } finally {
    // A file that is refused at its header is not read to its end.
    source.destroy();
  }
}

/**
 * Passes the bytes on, a piece a turn of the event loop, until a row is too long, which it notes: the parser would hold
 * any number of empty values of one row.
 */
async function* bounded(body: AsyncIterable<Buffer>, { info }: Parser, breaks: Break[]): AsyncGenerator<Buffer> {
  let [ended, bytes, commas] = [0, 0, 0];
  for await (const chunk of body) {
    for (let start = 0, size = 0; start < chunk.length; start += size) {
      const { records, empty_lines: blank } = info;
      if (records + blank !== ended) [ended, bytes, commas] = [records + blank, 0, 0];
      size = records === 0 ? HEADER_PIECE_BYTES : PIECE_BYTES;
      const maxBytes = records === 0 ? MAX_HEADER_BYTES : MAX_ROW_BYTES;
      const ahead = PIECES_AHEAD * size;
      if (bytes > maxBytes + ahead) return void breaks.push({ message: tooLong(`${maxBytes} bytes`), records });
      if (commas > MAX_ROW_COMMAS + ahead) return void breaks.push({ message: tooLong(`${MAX_ROW_COMMAS} commas`), records });
      const piece = chunk.subarray(start, start + size);
      bytes += piece.length;
      commas += commasIn(piece);
      yield piece;
      await new Promise(setImmediate);
    }
  }
}

function commasIn(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === COMMA) count += 1;
  return count;
}

async function* withoutBom(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of body) {
    yield isFirst && chunk.subarray(0, BOM.length).equals(BOM) ? chunk.subarray(BOM.length) : chunk;
    isFirst = false;
  }
}

function tooLong(limit: string): string {
  return `the row exceeds ${limit}; what follows was not read`;
}

function messageOf(code: string | undefined): string {
  if (code === 'CSV_MAX_RECORD_SIZE') return tooLong(`${MAX_ROW_BYTES} bytes`);
  return 'a quote is opened and never closed; what follows was not read';
}

function readRow(columns: CsvColumns, row: number, cells: readonly Buffer[]): ImportRow {
  if (cells.length !== columns.names.length) {
    const message = `the row has ${cells.length} values, the header ${columns.names.length} columns`;
    return { row, errors: [{ pointer: '', code: 'column_count', message }] };
  }
  const errors = cells.flatMap((cell, index) => faultOf(cell, columns.names[index] ?? ''));
  if (errors.length > 0) return { row, errors };
  try {
    return { row, value: columns.read(cells.map((cell) => cell.toString('utf8').trim())) };
  } catch (error) {
    return { row, errors: rowErrorsOf(error) };
  }
}

function faultOf(cell: Buffer, name: string): FieldError[] {
  if (!isUtf8(cell)) return [{ pointer: `/${name}`, code: 'not_utf8', message: `${name} is not UTF-8` }];
  if (!isUnstorable(cell.toString('utf8'))) return [];
  return [{ pointer: `/${name}`, code: 'unstorable_text', message: `${name} holds NUL` }];
}

/** A line of white space only. */
function isBlank(cells: readonly Buffer[]): boolean {
  return cells.length === 1 && cells[0]?.toString('utf8').trim() === '';
}
