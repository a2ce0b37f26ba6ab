import { malformedAt } from './malformed-json';

describe(malformedAt.name, () => {
  it.each([
    ['{"title":"A",}', 13, 'a comma before "}"'],
    ['[1,2,]', 5, 'a comma before "]"'],
    ['{"title":}', 9, 'a value is missing'],
    ['{"title":"A"', 12, 'the text ends too early'],
    ['{"title" "A"}', 9, 'a colon is missing'],
    ['{"title":"A" "b":1}', 13, 'a comma or "}" is missing'],
    ["{'title':1}", 1, 'names and texts are written in double quotes'],
    ['{title:1}', 1, 'a name in double quotes is missing'],
    ['{"title": oops}', 10, 'unexpected "o"'],
    ['{"a": 01}', 6, 'unexpected "0"'],
    ['[NaN]', 1, 'unexpected "N"'],
    ['{} {}', 3, 'something follows the value'],
    ['{"a": "b', 6, 'the text that begins here has no end or holds a control character'],
    ['title=A', 0, 'unexpected "t"'],
    ['', 0, 'the text ends too early'],
  ])('says of %j where and what', (text, position, reason) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(malformedAt(text)).toBe(`The text is not valid JSON at position ${position}: ${reason}.`);
  });

  it('reads a long text once', () => {
    const text = `[${'{"a":[1,"b\\n",true,null,-1.5e3]},'.repeat(20_000)}]`;

    expect(malformedAt(text)).toBe(`The text is not valid JSON at position ${text.length - 1}: a comma before "]".`);
    expect(malformedAt(`["${'\\n'.repeat(400_000)}",]`)).toContain('a comma before "]"');
  });
});
