import { checkRow } from './checked-row';
import { BrokenFileError, rowErrorsOf, type ImportRow } from './import-row';
import { readJsonArray, readNdjson } from './json-rows';

type Reader = typeof readNdjson;

/** The titles of the rows, the code of one that cannot be stored, and the text of a file that cannot be read. */
async function read(reader: Reader, bytes: Buffer): Promise<unknown> {
  async function* body(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
  }
  const results: unknown[] = [];
  try {
    for await (const row of reader(body())) results.push(await resultOf(row));
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error;
    return error.message;
  }
  return results;
}

async function resultOf({ value, errors }: ImportRow): Promise<unknown> {
  try {
    return errors?.map(({ code }) => code).join() ?? (await checkRow(value)).content.title;
  } catch (error) {
    return rowErrorsOf(error)
      .map(({ pointer, code }) => `${pointer} ${code}`)
      .join();
  }
}

const FORMS: readonly (readonly [string, Reader, string])[] = [
  ['an array', readJsonArray, '[{"title":"Café"},{"title":"Б"}]'],
  ['lines', readNdjson, '{"title":"Café"}\r\n\r\n{"title":"Б"}\r\n'],
];
const OTHERS: readonly (readonly [string, Buffer])[] = [
  ['a workbook (.xlsx or .ods) or another ZIP file', Buffer.from('PK\x03\x04\x14\0\x06\0')],
  ['compressed (gzip)', Buffer.from('1f8b0800', 'hex')],
  ['a PDF', Buffer.from('%PDF-1.7\n')],
];

describe.each(FORMS)('JSON in %s', (_, reader, text) => {
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${text}`)],
    ['UTF-16', Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16 with the other byte order', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ])('is read in %s', async (_encoding, bytes) => {
    expect(await read(reader, bytes)).toEqual(['Café', 'Б']);
  });

  it.each(OTHERS)('is not %s', async (format, bytes) => {
    expect(await read(reader, bytes)).toBe(`The file is ${format}, not JSON. Save the text as UTF-8 and send that.`);
  });

  it('is not UTF-16 without its mark', async () => {
    expect(await read(reader, Buffer.from(text, 'utf16le'))).toBe(
      'The file is UTF-16 without a byte order mark. Save the text as UTF-8 and send that.',
    );
  });
});

describe('a row of JSON made of a spreadsheet', () => {
  it.each([
    ['1.98E+18', '/upworkJobId rounded_number'],
    ['1,98E+18', '/upworkJobId rounded_number'],
    ['1978700000000000000', 'A'],
    ['~021978700000000000001', 'A'],
  ])('with the id %s is %s', async (upworkJobId, expected) => {
    expect(await read(readNdjson, Buffer.from(JSON.stringify({ title: 'A', upworkJobId })))).toEqual([expected]);
  });
});
