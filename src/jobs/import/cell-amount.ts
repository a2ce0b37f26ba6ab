import { invalidValue } from '../../platform/errors/app-error';
import { shown } from '../../platform/http/text';
import type { Separator } from './csv-separator';

/** A sign or a code of a currency before or behind a number. */
const AMOUNT = /^(?:([\p{Sc}\p{L}]{1,5}\.?)\s*)?(\d[\d.,'’\s]*)([\p{Sc}\p{L}]{1,5}\.?)?$/u;

/** Longer than any amount with its sign and its groups. */
const MAX_CELL_LENGTH = 40;

/** Digits in groups of three, and up to two decimal places behind the other mark. No group begins with 0. */
const GROUPED_BY_COMMA = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d{1,2})?$/;
const GROUPED_BY_POINT = /^[1-9]\d{0,2}(?:\.\d{3})+(?:,\d{1,2})?$/;
const DECIMAL_COMMA = /^\d+,\d{1,2}$/;

/** `1,200` and `1.200`: 1200 in one country, 1.2 in another. */
const AMBIGUOUS = /^[1-9]\d{0,2}[.,]\d{3}$/;

/** Databases write more decimal places than money has; zeros there say nothing. */
const ZEROS_BEHIND_CENTS = /^(\d+[.,]\d{2})0+$/;

/** White space and apostrophes between groups of three digits. */
const SPACED = /^[1-9]\d{0,2}(?:[\s'’]\d{3})+(?=[.,]\d{1,2}$|$)/;

/** The currencies that a sign may mean. */
const CURRENCIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['$', ['USD', 'CAD', 'AUD', 'NZD', 'SGD', 'HKD', 'MXN']],
  ['US$', ['USD']],
  ['C$', ['CAD']],
  ['CA$', ['CAD']],
  ['A$', ['AUD']],
  ['AU$', ['AUD']],
  ['R$', ['BRL']],
  ['€', ['EUR']],
  ['£', ['GBP']],
  ['₴', ['UAH']],
  ['ГРН', ['UAH']],
  ['¥', ['JPY', 'CNY']],
  ['₹', ['INR']],
  ['ZŁ', ['PLN']],
  ['KČ', ['CZK']],
  ['₺', ['TRY']],
]);

/**
 * Returns an amount of a spreadsheet as a decimal string: `$1,200.00`, `1.200,00 €` and `1 200,00` are `1200.00`. Other
 * text is returned as it is, for the rule of the field to refuse.
 * @throws AppError `validation.failed` for one that may be read in two ways
 */
export function amountOfCell(cell: string, name: string, separator: Separator): string {
  const [, before, digits, behind] = partsOf(cell);
  if (digits === undefined || [before, behind].some((sign) => sign !== undefined && currenciesOf(sign).length === 0))
    return cell;
  const spaceless = digits.trim().replace(SPACED, (groups) => groups.replace(/[\s'’]/g, ''));
  // Only programs with a decimal point separate by commas.
  if (AMBIGUOUS.test(spaceless) && !(separator === ',' && spaceless.includes(',')))
    throw ambiguous(cell, name, spaceless);
  if (GROUPED_BY_COMMA.test(spaceless)) return spaceless.replaceAll(',', '');
  if (GROUPED_BY_POINT.test(spaceless)) return spaceless.replaceAll('.', '').replace(',', '.');
  const number = spaceless.replace(ZEROS_BEHIND_CENTS, '$1');
  return DECIMAL_COMMA.test(number) ? number.replace(',', '.') : /^\d+(?:\.\d+)?$/.test(number) ? number : cell;
}

/**
 * Checks the sign of an amount against the row's currency.
 * @throws AppError `validation.failed`
 */
export function assertCurrencyOf(cell: string, name: string, currency: string): void {
  const [, before, , behind] = partsOf(cell);
  for (const sign of [before, behind]) {
    const meant = sign === undefined ? [] : currenciesOf(sign);
    if (meant.length === 0 || meant.includes(currency.toUpperCase())) continue;
    const message = `${name} is in ${sign}, but the row's currency is ${shown(currency)}. Name the currency in a column "currency".`;
    throw invalidValue(`/${name}`, 'currency_mismatch', message);
  }
}

/** Returns the currencies that a sign or a code may mean; none for another word. */
function currenciesOf(sign: string): readonly string[] {
  const word = sign.toUpperCase().replace(/\.$/, '');
  return CURRENCIES.get(word) ?? (/^[A-Z]{3}$/.test(word) ? [word] : []);
}

/** Returns the sign before, the number and the sign behind, from index 1 on. */
function partsOf(cell: string): readonly (string | undefined)[] {
  return cell.length > MAX_CELL_LENGTH ? [] : (AMOUNT.exec(cell) ?? []);
}

function ambiguous(cell: string, name: string, number: string): Error {
  const whole = `${number.replace(/[.,]/, '')}.00`;
  const fraction = number.replace(',', '.').replace(/0$/, '');
  return invalidValue(
    `/${name}`,
    'ambiguous_amount',
    `${name} is "${cell}", which may mean ${whole} or ${fraction}. Write ${whole}.`,
  );
}
