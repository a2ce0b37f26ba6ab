import { assertVersion, matchesAny, readPreconditions } from './preconditions';

const passes = (version: number, ifMatch?: string, ifNoneMatch?: string): boolean => {
  try {
    assertVersion({ version }, { ifMatch, ifNoneMatch });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'precondition.failed', status: 412 });
    return false;
  }
};

describe(readPreconditions.name, () => {
  it('returns undefined without either header', () => {
    expect(readPreconditions({ etag: '"3"' })).toBeUndefined();
    expect(readPreconditions({ 'if-none-match': '*' })).toEqual({ ifNoneMatch: '*' });
  });
});

describe(assertVersion.name, () => {
  it('accepts any version without preconditions', () => {
    expect(() => assertVersion({ version: 3 }, undefined)).not.toThrow();
  });

  it.each([
    ['"3"', true],
    [' "3" ', true],
    ['*', true],
    ['"2", "3"', true],
    ['"2","x,y" , "3"', true],
    ['W/"3", "3"', true],
    ['W/"3"', false],
    ['"2"', false],
    ['"33"', false],
    ['"03"', false],
    ['3', false],
    ['"3', false],
    ['""', false],
    ['', false],
  ])('version 3, If-Match: %s', (header, isMet) => {
    expect(passes(3, header)).toBe(isMet);
  });

  it.each([
    ['"3"', false],
    ['W/"3"', false],
    ['"2", W/"3"', false],
    ['*', false],
    ['"2"', true],
    ['"2", "4"', true],
    ['3', true],
    ['', true],
  ])('version 3, If-None-Match: %s', (header, isMet) => {
    expect(passes(3, undefined, header)).toBe(isMet);
  });

  it('checks If-Match first, then If-None-Match', () => {
    expect(passes(3, '"3"', '"2"')).toBe(true);
    expect(passes(3, '"3"', '"3"')).toBe(false);
    expect(() => assertVersion({ version: 3 }, { ifMatch: '"2"', ifNoneMatch: '*' })).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('with that If-Match') }),
    );
  });

  it('treats version 0 as a resource that is not stored', () => {
    expect([passes(0, '"0"'), passes(0, '*'), passes(0, undefined, '*')]).toEqual([true, false, true]);
  });

  it('describes the format when If-Match has no ETag', () => {
    expect(() => assertVersion({ version: 3 }, { ifMatch: '3' })).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('in double quotes') }),
    );
  });
});

describe(matchesAny.name, () => {
  it('compares weakly', () => {
    expect(matchesAny({ version: 3 }, 'W/"3"')).toBe(true);
  });
});
