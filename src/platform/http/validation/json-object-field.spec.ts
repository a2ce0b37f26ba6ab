import { mergePatch, patchObject } from './json-object-field';

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
