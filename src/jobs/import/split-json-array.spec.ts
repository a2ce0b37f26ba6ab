import fc from 'fast-check';
import { BrokenFileError } from './import-row';
import { JsonArraySplitter } from './split-json-array';

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
