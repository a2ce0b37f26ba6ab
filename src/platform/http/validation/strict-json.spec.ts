import fc from 'fast-check';
import { AppError } from '../../errors/app-error';
import { findMalformedJson, parseStrictJson, sortKeys } from './strict-json';

function refusalOf(text: string): { code: string; pointer: string | undefined; rule: string | undefined } | undefined {
  try {
    parseStrictJson(Buffer.from(text));
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, pointer: error.errors[0]?.pointer, rule: error.errors[0]?.code };
  }
}

describe('parseStrictJson', () => {
  it('parses valid JSON like JSON.parse', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        if (refusalOf(text)) return;
        expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('counts members correctly for all strings', () => {
    const awkward = fc.string({ unit: fc.constantFrom('"', '\\', ':', ',', '{', '}', '[', ']', 'a', '\n', 'é') });
    fc.assert(
      fc.property(
        fc.dictionary(awkward, fc.oneof(awkward, fc.array(awkward), fc.dictionary(awkward, awkward))),
        (value) => {
          expect(refusalOf(JSON.stringify(value, null, 1))).toBeUndefined();
        },
      ),
    );
  });

  it('returns {} for an empty text and ignores a byte order mark', () => {
    expect(parseStrictJson(Buffer.alloc(0))).toEqual({});
    expect(parseStrictJson(Buffer.from('\uFEFF{"a":1}'))).toEqual({ a: 1 });
  });

  it.each([
    ['{"a":{"b":1,"b":2}}', 'duplicate_key', '/a/b'],
    ['[{"a":1},{"a":1,"x":"\\"a\\":","a":2}]', 'duplicate_key', '/1/a'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key', '/a'],
    ['{"a/b~c":{"d":1,"d":1}}', 'duplicate_key', '/a~1b~0c/d'],
    ['{"a":["x","\\u0000"]}', 'unstorable_text', '/a/1'],
    ['{"a":"\\udc00\\ud800"}', 'unstorable_text', '/a'],
    ['{"a\\u0000b":1}', 'unstorable_text', ''],
    ['{"a":1e400}', 'inexact_number', '/a'],
    ['{"a":-1e400}', 'inexact_number', '/a'],
    ['{"a":9007199254740992}', 'inexact_number', '/a'],
    ['{"__proto__":{"admin":true}}', 'reserved_key', '/__proto__'],
    ['{"a":{"constructor":{"prototype":{}}}}', 'reserved_key', '/a/constructor'],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'too_deep', '/0'.repeat(32)],
  ])('rejects %s', (text, rule, pointer) => {
    expect(refusalOf(text)).toEqual({ code: 'validation.failed', rule, pointer });
  });

  it.each(['{"a":NaN}', '{a:1}', '{"a":1,}', "{'a':1}", '{} x', '{"a":01}', '"\t"', 'undefined', '['.repeat(40_000)])(
    'rejects invalid JSON: %.20s',
    (text) => {
      expect(refusalOf(text)?.code).toBe('request.malformed_json');
    },
  );

  it.each([
    ['{}'.repeat(50_000), undefined],
    [`[${'1,'.repeat(50_000)}1]`, undefined],
    ['['.repeat(50_000), undefined],
    [`{"a":[${'{},'.repeat(10)}{}]}`, 20],
  ])('rejects too many values before parsing: %.20s', (text, maxValues) => {
    const parse = jest.spyOn(JSON, 'parse');

    expect(() => parseStrictJson(Buffer.from(text), maxValues)).toThrow('values');
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it('accepts the largest field', () => {
    const metadata = `[${'1,'.repeat(65_536 / 2 - 2)}1]`;

    expect(refusalOf(`{"metadata":${metadata}}`)).toBeUndefined();
    expect(refusalOf(`{"text":"${',[{'.repeat(100_000)}"}`)).toBeUndefined();
  });

  it('accepts surrogate pairs, exact numbers and 32 levels', () => {
    expect(refusalOf('{"a":"\\ud83d\\ude00😀","b":9007199254740991,"c":0.1,"d":1e300000e}')?.code).toBe(
      'request.malformed_json',
    );
    expect(refusalOf('{"a":"\\ud83d\\ude00😀","b":9007199254740991,"c":0.1}')).toBeUndefined();
    expect(refusalOf(`${'['.repeat(32)}${']'.repeat(32)}`)).toBeUndefined();
  });

  it('does not let __proto__ of one body reach another object', () => {
    refusalOf('{"__proto__":{"polluted":1}}');

    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe(findMalformedJson.name, () => {
  it.each([
    ['{"title":"A",}', 13, 'a comma before "}"'],
    ['[1,2,]', 5, 'a comma before "]"'],
    ['{"title":}', 9, 'a value is missing'],
    ['{"title":"A"', 12, 'the text ends too early'],
    ['{"title" "A"}', 9, 'a colon is missing'],
    ['{"title":"A" "b":1}', 13, 'a comma or "}" is missing'],
    ["{'title':1}", 1, 'names and strings need double quotes'],
    ['{title:1}', 1, 'a name in double quotes is missing'],
    ['{"title": oops}', 10, 'unexpected "o"'],
    ['{"a": 01}', 6, 'unexpected "0"'],
    ['[NaN]', 1, 'unexpected "N"'],
    ['{} {}', 3, 'unexpected text after the value'],
    ['{"a": "b', 6, 'this string has no end or contains a control character'],
    ['title=A', 0, 'unexpected "t"'],
    ['', 0, 'the text ends too early'],
  ])('reports the position and the reason for %j', (text, position, reason) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(findMalformedJson(text)).toBe(`The text is not valid JSON at position ${position}: ${reason}.`);
  });

  it('reads a long text in one pass', () => {
    const text = `[${'{"a":[1,"b\\n",true,null,-1.5e3]},'.repeat(20_000)}]`;

    expect(findMalformedJson(text)).toBe(
      `The text is not valid JSON at position ${text.length - 1}: a comma before "]".`,
    );
    expect(findMalformedJson(`["${'\\n'.repeat(400_000)}",]`)).toContain('a comma before "]"');
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
