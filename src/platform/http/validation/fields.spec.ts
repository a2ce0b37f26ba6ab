import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { InstantField, countCodePoints, truncateToCodePoints, TextLength } from './fields';
import fc from 'fast-check';

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

class QueryDto {
  @InstantField({ description: 'A time.' })
  at: Date;
}

const instantOf = (at: unknown): string | undefined => {
  const dto = plainToInstance(QueryDto, { at });
  return validateSync(dto).length === 0 ? dto.at.toISOString() : undefined;
};

describe(InstantField.name, () => {
  it.each([
    ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31t09:30:00.5+02:00', '2026-01-31T07:30:00.500Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['2016-12-31T23:59:60.75Z', '2017-01-01T00:00:00.000Z'],
    ['1990-12-31T15:59:60-08:00', '1991-01-01T00:00:00.000Z'],
    ['2015-07-01T01:59:60+02:00', '2015-07-01T00:00:00.000Z'],
  ])('reads %s as %s', (text, expected) => {
    expect(instantOf(text)).toBe(expected);
  });

  it.each([
    '2016-12-31T23:58:60Z',
    '2016-12-30T23:59:60Z',
    '2017-01-01T04:59:60Z',
    '2016-12-31T23:59:60+01:00',
    '2016-12-31T23:59:61Z',
    '2026-02-30T00:00:00Z',
    '2026-01-31',
    'now',
    5,
  ])('rejects %j', (text) => {
    expect(instantOf(text)).toBeUndefined();
  });
});
