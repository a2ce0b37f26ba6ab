import fc from 'fast-check';
import { assertQuery, parseQuery } from './query-string';

describe('parseQuery', () => {
  it('parses the output of URLSearchParams', () => {
    const pairs = fc.array(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(pairs, (list) => {
        const query = parseQuery(new URLSearchParams(list).toString());

        for (const [name] of list) {
          const values = list.filter(([other]) => other === name).map(([, value]) => value);
          expect([query[name]].flat()).toEqual(values);
        }
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseQuery(text)));
  });

  it.each(['a=%zz', '%=1', 'a=%ED%A0%80', 'a=%F0%28', Array.from({ length: 201 }, () => 'a').join('&')])(
    'marks a malformed query: %.30s',
    (text) => {
      expect(() => assertQuery(parseQuery(text))).toThrow(expect.objectContaining({ code: 'request.malformed_url' }));
    },
  );

  it('rejects NUL in names and values', () => {
    expect(() => assertQuery(parseQuery('a=%00'))).toThrow(expect.objectContaining({ code: 'validation.failed' }));
    expect(() => assertQuery(parseQuery('a%00=1'))).toThrow(expect.objectContaining({ code: 'validation.failed' }));
  });

  it('has no inherited names', () => {
    expect(parseQuery('a=1')['toString']).toBeUndefined();
    expect(Object.keys(parseQuery('__proto__=1'))).toEqual(['__proto__']);
  });
});
