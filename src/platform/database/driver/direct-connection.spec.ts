import { types } from 'pg';
import { pgTypes } from './direct-connection';

const { TIMESTAMPTZ } = types.builtins;

describe('pgTypes', () => {
  it.each([
    '2026-11-26 03:30:01.123999+00',
    '2026-11-26 03:30:01+00',
    '2026-01-01 00:00:00.5+00',
    '1969-12-31 23:59:59.999999+00',
    '2026-01-01 00:00:00.05+00',
    '2024-02-29 23:59:59.0019+00',
    '0100-12-31 00:00:00+00',
    '0099-01-01 00:00:00+00',
    '12026-01-01 00:00:00+00',
    '2026-01-01 00:00:00+05:30',
    '2026-01-01 00:00:00+00 BC',
    'infinity',
  ])('parses the instant %s like pg', (text) => {
    const asPg = types.getTypeParser(TIMESTAMPTZ, 'text')(text) as unknown;

    expect(pgTypes.getTypeParser(TIMESTAMPTZ)(text)).toEqual(asPg);
  });
});
