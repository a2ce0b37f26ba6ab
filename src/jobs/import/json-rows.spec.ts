import { BrokenFileError, checkRow, type ImportRow, toRowErrors } from './import-row';
import { JsonArraySplitter, readJsonArray, readNdjson } from './json-rows';
import fc from 'fast-check';

type Reader = typeof readNdjson;

/** The titles of the rows, the code of one that cannot be stored, and the text of a file that cannot be read. */
async function readRows(reader: Reader, bytes: Buffer): Promise<unknown> {
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
    return toRowErrors(error)
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
    expect(await readRows(reader, bytes)).toEqual(['Café', 'Б']);
  });

  it.each(OTHERS)('is not %s', async (format, bytes) => {
    expect(await readRows(reader, bytes)).toBe(
      `The file is ${format}, not JSON. Save the text as UTF-8 and send that.`,
    );
  });

  it('is not UTF-16 without its mark', async () => {
    expect(await readRows(reader, Buffer.from(text, 'utf16le'))).toBe(
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
    expect(await readRows(readNdjson, Buffer.from(JSON.stringify({ title: 'A', upworkJobId })))).toEqual([expected]);
  });
});

/** The elements, and the row of the break; the text comes in pieces of this length. */
function read(
  text: string,
  pieceLength = Infinity,
  maxBytes = Infinity,
): [elements: string[], brokenRow: number | undefined] {
  const elements: string[] = [];
  const splitter = new JsonArraySplitter(maxBytes);
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; at += pieceLength) {
      for (const element of splitter.push(bytes.subarray(at, at + pieceLength))) elements.push(String(element));
    }
    splitter.end();
    return [elements, undefined];
  } catch (error) {
    if (error instanceof BrokenFileError) return [elements, error.row];
    throw error;
  }
}

function split(text: string): string[] {
  const [elements, brokenRow] = read(text);
  expect(brokenRow).toBeUndefined();
  return elements;
}

describe(JsonArraySplitter.name, () => {
  it('gives the elements of any array, however it is written and cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        fc.constantFrom(0, 1, '\t'),
        fc.integer({ min: 1, max: 9 }),
        (values, indent, length) => {
          const [elements] = read(`\uFEFF ${JSON.stringify(values, null, indent)}\r\n`, length);

          expect(elements.map((element) => JSON.parse(element) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });

  it('keeps of a long element only so much as shows that it is too long', () => {
    expect(read(`["${'x'.repeat(100)}", 1]`, 7, 10)).toEqual([[`"${'x'.repeat(10)}`, ' 1'], undefined]);
    expect(read('["12345678",1]', 3, 10)).toEqual([['"12345678"', '1'], undefined]);
  });

  it('is not misled by brackets, commas and quotes in strings', () => {
    expect(split('["a]", "b\\",[", {"c}": ","}]')).toEqual(['"a]"', ' "b\\",["', ' {"c}": ","}']);
  });

  it('passes over faulty elements, missing ones included', () => {
    expect(split('[{a: 1}, , {]]')).toEqual(['{a: 1}', ' ', ' {]']);
    expect(split('[1,]')).toEqual(['1', '']);
  });

  it('follows nesting of any depth', () => {
    expect(split(`[${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}]`)).toHaveLength(1);
  });

  it.each([
    ['', [], 1],
    ['{"a":1}', [], 1],
    ['{"a":[1]}', [], 1],
    ['null', [], 1],
    ['[', [], 1],
    ['[1, 2', ['1'], 2],
    ['[1, "2]', ['1'], 2],
    ['[1, "2\\"]', ['1'], 2],
    ['[1] [2]', ['1'], 2],
  ])('breaks off %j after what can be read', (text, elements, row) => {
    expect(read(text)).toEqual([elements, row]);
    expect(read(text, 1)).toEqual([elements, row]);
  });
});
