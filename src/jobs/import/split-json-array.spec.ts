import fc from 'fast-check';
import { BrokenFileError } from './import-row';
import { splitJsonArray } from './split-json-array';

const split = (text: string): string[] => [...splitJsonArray(Buffer.from(text))].map(String);

/** The elements before the break, and its row. */
function splitBroken(text: string): [elements: string[], row: number] {
  const elements: string[] = [];
  try {
    for (const element of splitJsonArray(Buffer.from(text))) elements.push(String(element));
  } catch (error) {
    if (error instanceof BrokenFileError) return [elements, error.row];
    throw error;
  }
  throw new Error('nothing broke');
}

describe(splitJsonArray.name, () => {
  it('gives the elements of any array, however it is written', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, '\t'), (values, indent) => {
        const elements = split(` ${JSON.stringify(values, null, indent)}\r\n`);

        expect(elements.map((element) => JSON.parse(element) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
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
    expect(splitBroken(text)).toEqual([elements, row]);
  });
});
