import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { parse, type Parser } from 'csv-parse';
import type { FieldError } from '../../platform/errors/app-error';
import { isUnstorable } from '../../platform/http/validation/text';
import { columnsOf, type CsvColumns } from './csv-columns';
import { assertCsvHeader, asUtf8, SAVE_AS_UTF8 } from './file-encoding';
import { lineEndsIn, separate, type SeparatedText, type Separator } from './csv-separator';
import { BrokenFileError, rowErrorsOf, type ImportRow } from './import-row';
import { textOfCell } from './cell-readers';

const MAX_ROW_BYTES = 1_048_576;

/** Most separators of a row, those within its values too: the longest description may consist of 50,000. */
const MAX_ROW_SEPARATORS = 65_536;

/** The names of all columns, each several times over. */
const MAX_HEADER_BYTES = 8_192;

/** Bytes given to the parser at once; while it reads the header, fewer. */
const PIECE_BYTES = 16_384;
const HEADER_PIECE_BYTES = 1_024;

/** How many pieces may be on their way to the parser when the next is asked for. */
const PIECES_AHEAD = 4;

const [NEWLINE, CARRIAGE_RETURN] = [10, 13];

/**
 * Reads the rows of a CSV file whose first line names the columns: our fields in camelCase or snake_case, or the columns
 * of an Upwork listing. The values are separated by a comma, a semicolon, a tab or `|`; any line ending; a quote inside an
 * unquoted value is a character like others. A row of empty cells is left out, and so are empty cells behind the last
 * column. A row with a wrong number of values, or one that is not UTF-8, is a row of its own errors.
 * @throws BrokenFileError for an empty file, for another format or encoding, for columns that are not known, and where a
 *   quote is never closed
 * @see RFC 4180
 */
export async function* readCsv(body: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  const breaks: Break[] = [];
  const source = await separate(asUtf8(body));
  let columns: CsvColumns | undefined;
  let header: readonly Buffer[] = [];
  let row = 0;
  for await (const cells of recordsOf(source, breaks)) {
    if (cells.every(isBlank)) continue;
    if (!columns) {
      header = cells;
      columns = columnsOf(headerOf(cells), source.separator);
    } else if (!isRepeated(header, cells)) {
      const read = readRow(columns, (row += 1), cells);
      if (row === 1 && isNotUtf8(read)) throw new BrokenFileError(1, NOT_UTF8);
      yield read;
    }
  }
  const [broken] = breaks;
  if (broken) throw new BrokenFileError(row + 1, `${broken.message} (line ${broken.line})`);
  if (!columns) throw new BrokenFileError(1, 'the file is empty');
}

const NOT_UTF8 = `The file is not UTF-8. ${SAVE_AS_UTF8}`;

/** Where a file cannot be understood any more, and why. */
interface Break {
  readonly message: string;
  /** How many records came before it. */
  readonly records: number;
  /** The line of the record that broke. */
  line?: number;
}

/**
 * The records up to the first break, which is noted: would csv-parse fail, it would drop what it has read. Its `on_record`
 * leaves garbage of each record that only a full collection takes away, so they are counted here.
 */
async function* recordsOf({ separator, text, linesBefore }: SeparatedText, breaks: Break[]): AsyncGenerator<Buffer[]> {
  let line = linesBefore + 1;
  const parser = parse({
    // Cells come as bytes, so that one wrong byte is the fault of its row.
    encoding: null,
    delimiter: separator,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    // White space before a quote does not make the quote a character.
    ltrim: true,
    skip_empty_lines: true,
    // Counts the values only; `bounded` counts the separators between them.
    max_record_size: MAX_ROW_BYTES,
    skip_records_with_error: true,
    on_skip: (error) => {
      breaks.push({ message: messageOf(error?.code), records: Number(error?.['records']) });
      return undefined;
    },
  });
  const source = Readable.from(bounded(text, separator, parser, breaks));
  source.on('error', (error) => parser.destroy(error));
  try {
    let records = 0;
    for await (const record of source.pipe(parser) as unknown as AsyncIterable<Buffer[]>) {
      if (breaks[0] && records >= breaks[0].records) continue;
      records += 1;
      yield record;
      line += 1 + record.reduce((count, cell) => count + lineEndsInCell(cell), 0);
    }
    // Lines without a value are not records. All of them come before a break.
    if (breaks[0]) breaks[0].line = line + parser.info.empty_lines;
  } finally {
    // A file that is refused at its header is not read to its end.
    source.destroy();
  }
}

/**
 * Passes the bytes on, a piece a turn of the event loop, until a row is too long, which it notes: the parser would hold
 * any number of empty values of one row.
 */
async function* bounded(
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
      size = records === 0 ? HEADER_PIECE_BYTES : PIECE_BYTES;
      const maxBytes = records === 0 ? MAX_HEADER_BYTES : MAX_ROW_BYTES;
      const ahead = PIECES_AHEAD * size;
      if (bytes > maxBytes + ahead) return void breaks.push({ message: tooLong(`${maxBytes} bytes`), records });
      if (separators > MAX_ROW_SEPARATORS + ahead) {
        return void breaks.push({ message: tooLong(`${MAX_ROW_SEPARATORS} separators`), records });
      }
      const piece = chunk.subarray(start, start + size);
      bytes += piece.length;
      separators += countOf(separatorByte, piece);
      yield piece;
      await new Promise(setImmediate);
    }
  }
}

function countOf(byte: number, bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === byte) count += 1;
  return count;
}

function tooLong(limit: string): string {
  return `the row exceeds ${limit}; what follows was not read`;
}

function messageOf(code: string | undefined): string {
  if (code === 'CSV_MAX_RECORD_SIZE') return tooLong(`${MAX_ROW_BYTES} bytes`);
  return 'a quote is opened and never closed; what follows was not read';
}

function lineEndsInCell(cell: Buffer): number {
  return cell.includes(NEWLINE) || cell.includes(CARRIAGE_RETURN) ? lineEndsIn(cell.toString('latin1')) : 0;
}

function readRow(columns: CsvColumns, row: number, all: readonly Buffer[]): ImportRow {
  const { names } = columns;
  // Programs end each row with as many separators as the widest row has.
  const missing = names.slice(all.length).every((name) => name === '') ? names.length - all.length : 0;
  const cells = all.slice(names.length).every(isBlank)
    ? [...all.slice(0, names.length), ...Array<Buffer>(Math.max(0, missing)).fill(EMPTY)]
    : all;
  if (cells.length !== names.length) {
    const message = `the row has ${cells.length} values, the header ${names.length} columns`;
    return { row, errors: [{ pointer: '', code: 'column_count', message }] };
  }
  const errors = cells.flatMap((cell, index) => errorOf(cell, names[index] ?? ''));
  if (errors.length > 0) return { row, errors };
  try {
    return { row, value: columns.read(cells.map((cell) => textOfCell(cell.toString('utf8')))) };
  } catch (error) {
    return { row, errors: rowErrorsOf(error) };
  }
}

function errorOf(cell: Buffer, name: string): FieldError[] {
  if (!isUtf8(cell))
    return [{ pointer: `/${name}`, code: 'not_utf8', message: `${name} is not UTF-8. ${SAVE_AS_UTF8}` }];
  if (!isUnstorable(cell.toString('utf8'))) return [];
  return [{ pointer: `/${name}`, code: 'unstorable_text', message: `${name} holds NUL` }];
}

function isNotUtf8({ errors }: ImportRow): boolean {
  return errors?.some(({ code }) => code === 'not_utf8') ?? false;
}

/** @throws BrokenFileError for a name that is not UTF-8, and for another format */
function headerOf(cells: readonly Buffer[]): string[] {
  if (!cells.every((cell) => isUtf8(cell))) throw new BrokenFileError(1, NOT_UTF8);
  const texts = cells.map((cell) => textOfCell(cell.toString('utf8')));
  assertCsvHeader(texts);
  return texts;
}

/** Files that were put together have a header each. */
function isRepeated(header: readonly Buffer[], cells: readonly Buffer[]): boolean {
  return (
    header.length > 1 &&
    header.length === cells.length &&
    header.every((name, index) => name.equals(cells[index] ?? EMPTY))
  );
}

const EMPTY = Buffer.alloc(0);

/** Nothing but white space, that of other scripts included, and characters without a width. */
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

/** Longer cells of nothing but white space are left to the rules of their fields. */
const MAX_BLANK_BYTES = 1_024;
