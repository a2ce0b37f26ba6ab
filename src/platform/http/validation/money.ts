import { isISO4217CurrencyCode } from 'class-validator';

/** Amounts of numeric(10,2): up to eight digits before the point. */
export const MONEY = /^(\d{1,8})(?:\.(\d{1,2}))?$/;

/** The pattern of amounts in requests. */
export const MONEY_PATTERN = MONEY.source;

/** The pattern of amounts in responses. */
export const AMOUNT_PATTERN = '^\\d{1,8}\\.\\d{2}$';

/** New codes of ISO 4217 that class-validator lacks: the Caribbean guilder (2025) and the Zimbabwe Gold (2024). */
const NEW_CURRENCIES: ReadonlySet<unknown> = new Set(['XCG', 'ZWG']);

/** Codes of ISO 4217 for "no currency" and "reserved for testing". */
const NO_CURRENCIES: ReadonlySet<unknown> = new Set(['XXX', 'XTS']);

/** Returns whether ISO 4217 has a currency of this code, in capitals. */
export function isCurrency(code: unknown): boolean {
  return NEW_CURRENCIES.has(code) || (isISO4217CurrencyCode(code) && !NO_CURRENCIES.has(code));
}

/** Returns the amount in hundredths. It is exact: ten digits are below 2^53. */
export function toHundredths(money: string): number {
  return Number(money.replace('.', ''));
}

/** Returns an amount with two places and without leading zeros. Other texts are unchanged, and rejected by the rule. */
export function toMoney(text: string): string {
  const [, whole, places = ''] = MONEY.exec(text.trim()) ?? [];
  return whole === undefined ? text : `${Number(whole)}.${places.padEnd(2, '0')}`;
}
