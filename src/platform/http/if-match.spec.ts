import { assertVersion, versionOf } from './if-match';

describe('versionOf', () => {
  it.each([
    [undefined, undefined],
    ['*', undefined],
    [' "3" ', 3],
    ['W/"3"', -1],
    ['3', -1],
    ['"3", "4"', -1],
    ['"x"', -1],
    ['""', -1],
    ['', -1],
  ])('reads %s as %s', (header, version) => {
    expect(versionOf(header)).toBe(version);
  });
});

describe('assertVersion', () => {
  it('lets the known version and an unnamed one pass, and no other', () => {
    expect(() => assertVersion({ version: 3 }, 3)).not.toThrow();
    expect(() => assertVersion({ version: 3 }, undefined)).not.toThrow();
    expect(() => assertVersion({ version: 3 }, 2)).toThrow(expect.objectContaining({ code: 'precondition.failed', status: 412 }));
    expect(() => assertVersion({ version: 3 }, versionOf('"3", "4"'))).toThrow();
  });
});
