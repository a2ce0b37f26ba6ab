import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { InstantField } from './fields';

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
