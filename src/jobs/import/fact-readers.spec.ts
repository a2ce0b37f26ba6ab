import { asDay, asDecimal, asInstant, asInteger } from './fact-readers';

const readAll = (reader: typeof asInteger, cells: readonly string[]): unknown[] =>
  cells.map((cell) => reader(cell, 'field', ','));

describe('the readers of facts', () => {
  it('read whole numbers as spreadsheets and data frames write them', () => {
    expect(readAll(asInteger, ['0', '12', '12.0', '1,200', '1 200', '1’200’300'])).toEqual([
      0, 12, 12, 1_200, 1_200, 1_200_300,
    ]);
  });

  it('read decimals with a point or a comma', () => {
    expect(readAll(asDecimal, ['5', '4.99', '4,99', '4.0'])).toEqual([5, 4.99, 4.99, 4]);
  });

  it('read instants of RFC 3339, Upwork and PostgreSQL', () => {
    const cells = [
      '2026-11-20T08:14:02Z',
      '2026-11-20T08:14:02+0000',
      '2026-11-20 08:14:02+00',
      '2026-11-20 08:14:02.123456+02:00',
    ];

    expect(readAll(asInstant, cells)).toEqual([
      '2026-11-20T08:14:02Z',
      '2026-11-20T08:14:02+00:00',
      '2026-11-20T08:14:02+00:00',
      '2026-11-20T08:14:02.123456+02:00',
    ]);
  });

  it('read days, also from instants', () => {
    expect(readAll(asDay, ['2019-03-02', '2019-03-02T00:00:00+0000'])).toEqual(['2019-03-02', '2019-03-02']);
  });

  it('leave other texts to the validation: ranges, missing zones, long texts', () => {
    for (const [reader, cells] of [
      [asInteger, ['5 to 10', '50+', '1.5', '-1', '9'.repeat(50)]],
      [asDecimal, ['4.9 stars', '-1', '']],
      [asInstant, ['2026-11-20 08:14:02', '2026-11-20', 'yesterday']],
      [asDay, ['March 2019']],
    ] as const) {
      expect(readAll(reader, cells)).toEqual(cells);
    }
  });
});
