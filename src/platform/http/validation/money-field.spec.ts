import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { toHundredths } from './money';
import { CurrencyField, MoneyField } from './money-field';

class PriceDto {
  @MoneyField({ description: 'A price.' })
  price: string;
}

/** Returns the amount in the DTO; undefined when it is rejected. */
function priceOf(value: unknown): string | undefined {
  const dto = plainToInstance(PriceDto, { price: value });
  return validateSync(dto).length === 0 ? dto.price : undefined;
}

describe(MoneyField.name, () => {
  it.each([
    ['100', '100.00'],
    ['100.5', '100.50'],
    ['0', '0.00'],
    ['007.10', '7.10'],
    [' 1.00 ', '1.00'],
    ['99999999.99', '99999999.99'],
  ])('reads %j as %j', (text, expected) => {
    expect(priceOf(text)).toBe(expected);
  });

  it.each([
    '',
    '.',
    '1.',
    '.5',
    '1.005',
    '-1',
    '+1',
    '1e3',
    '1,000.00',
    'NaN',
    'Infinity',
    '0x10',
    '100000000',
    '١',
    1,
    1.5,
    null,
    true,
    ['1'],
    {},
  ])('rejects %j', (value) => {
    expect(priceOf(value)).toBeUndefined();
  });
});

describe(toHundredths.name, () => {
  it('is exact', () => {
    expect([toHundredths('0.00'), toHundredths('0.10'), toHundredths('99999999.99')]).toEqual([0, 10, 9_999_999_999]);
  });
});

class CurrencyDto {
  @CurrencyField({ description: 'A currency.' })
  currency: string;
}

describe(CurrencyField.name, () => {
  it.each([
    ['USD', true],
    ['uah', true],
    ['XCG', true],
    ['ZWG', true],
    ['XXX', false],
    ['XTS', false],
    ['xts', false],
    ['ABC', false],
    ['', false],
    [1, false],
  ])('accepts %j: %s', (currency, isAccepted) => {
    expect(validateSync(plainToInstance(CurrencyDto, { currency })).length === 0).toBe(isAccepted);
  });
});
