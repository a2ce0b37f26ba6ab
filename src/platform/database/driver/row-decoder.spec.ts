import { types } from 'pg';
import { findRowDecoder } from './row-decoder';

const { BOOL, INT8, TEXT } = types.builtins;

describe(findRowDecoder.name, () => {
  it('parses each value by its type and keeps NULL and the order of the columns', () => {
    const decode = findRowDecoder([
      { name: 'id', dataTypeID: INT8 },
      { name: 'title', dataTypeID: TEXT },
      { name: 'isFilled', dataTypeID: BOOL },
    ]);

    expect(Object.entries(decode(['7', null, 'f']))).toEqual([
      ['id', 7],
      ['title', null],
      ['isFilled', false],
    ]);
    expect(() => decode(['9007199254740993', null, null])).toThrow(RangeError);
  });

  it('takes any column name as a name and never as code', () => {
    const names = ['"', "'", '\\', '?column?', 'a"]: globalThis.planted = 1, ["', '\u2028', 'constructor', '`${1}`'];
    const decode = findRowDecoder(names.map((name) => ({ name, dataTypeID: TEXT })));

    expect(Object.keys(decode(names))).toEqual(names);
    expect(Object.values(decode(names))).toEqual(names);
    expect(globalThis).not.toHaveProperty('planted');
  });

  it('compiles equal columns once, and other types or names separately', () => {
    const column = { name: 'n', dataTypeID: TEXT };

    expect(findRowDecoder([column])).toBe(findRowDecoder([{ ...column }]));
    expect(findRowDecoder([{ ...column, dataTypeID: INT8 }])(['1'])).toEqual({ n: 1 });
    expect(findRowDecoder([{ ...column, name: 'm' }])(['1'])).toEqual({ m: '1' });
    expect(findRowDecoder([])([])).toEqual({});
  });
});
