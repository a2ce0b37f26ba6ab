import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { countCodePoints, truncateToCodePoints, TextLength } from './text';

class Texts {
  @TextLength(2, 3)
  text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const isAccepted = (text: string): boolean => validateSync(new Texts(text)).length === 0;
const anyText = fc.string({ unit: 'binary', maxLength: 6 });

describe(TextLength.name, () => {
  it('counts code points of every text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { length } = [...text];
        expect([countCodePoints(text), isAccepted(text)]).toEqual([length, length >= 2 && length <= 3]);
      }),
    );
  });

  it.each([
    ['a heart with its variation selector', '❤️', true],
    ['two of them', '❤️❤️', false],
    ['three emoji', '🚀🚀🚀', true],
    ['four emoji', '🚀🚀🚀🚀', false],
    ['one emoji', '🚀', false],
  ])('counts the code points of %s', (_, text, accepted) => {
    expect(isAccepted(text)).toBe(accepted);
  });

  it('truncates a text between code points', () => {
    fc.assert(
      fc.property(anyText, fc.nat(4), (text, max) => {
        expect(truncateToCodePoints(text, max)).toBe([...text].slice(0, max).join(''));
      }),
    );
  });
});
