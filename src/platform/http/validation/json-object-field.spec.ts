import { mergePatch, patchObject, sortKeys } from './json-object-field';

describe(mergePatch.name, () => {
  // The examples of RFC 7396, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched by %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('treats names such as __proto__ as members', () => {
    const patch: unknown = JSON.parse('{"__proto__": {"x": 1}, "constructor": {"y": null}}');

    expect(JSON.stringify(mergePatch({ toString: 'z' }, patch))).toBe(
      '{"toString":"z","__proto__":{"x":1},"constructor":{}}',
    );
  });
});

describe(sortKeys.name, () => {
  it.each([
    ['{"b":1,"a":{"d":null,"c":[{"z":1,"y":2}]}}', '{"a":{"c":[{"y":2,"z":1}],"d":null},"b":1}'],
    ['{"b":1,"10":2,"9":3,"B":4,"é":5}', '{"9":3,"10":2,"B":4,"b":1,"é":5}'],
    ['[2,1]', '[2,1]'],
    ['null', 'null'],
  ])('of %s gives %s', (text, sorted) => {
    expect(JSON.stringify(sortKeys(JSON.parse(text)))).toBe(sorted);
  });
});

describe(patchObject.name, () => {
  it('applies the limits to the result', () => {
    const old = { a: 'x'.repeat(60) };

    expect(patchObject('data', { maxBytes: 100, maxDepth: 2 }, old, { a: null, b: 'y'.repeat(60) })).toEqual({
      b: 'y'.repeat(60),
    });
    expect(() => patchObject('data', { maxBytes: 100, maxDepth: 2 }, old, { b: 'y'.repeat(60) })).toThrow(
      expect.objectContaining({ code: 'validation.failed', errors: [expect.objectContaining({ pointer: '/data' })] }),
    );
  });
});
