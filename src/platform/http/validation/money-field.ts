import { ApiProperty } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { isISO4217CurrencyCode, Matches, ValidateBy } from 'class-validator';
import { Field, type FieldOptions } from './fields';

/** Amounts of numeric(10,2): up to eight digits before the point. */
const MONEY = /^(\d{1,8})(?:\.(\d{1,2}))?$/;

/** The pattern of amounts in requests. */
export const MONEY_PATTERN = MONEY.source;

/** The pattern of amounts in responses. */
export const AMOUNT_PATTERN = '^\\d{1,8}\\.\\d{2}$';

/** Patterns of amounts in responses by their places: numeric(10,2), and numeric(24,12) for AI costs. */
const AMOUNT_PATTERNS = { 2: AMOUNT_PATTERN, 12: '^\\d{1,12}\\.\\d{12}$' } as const;

/** New codes of ISO 4217 that class-validator lacks: the Caribbean guilder (2025) and the Zimbabwe Gold (2024). */
const NEW_CURRENCIES: ReadonlySet<unknown> = new Set(['XCG', 'ZWG']);

/** Codes of ISO 4217 for "no currency" and "reserved for testing". */
const NO_CURRENCIES: ReadonlySet<unknown> = new Set(['XXX', 'XTS']);

/**
 * Declares an amount of money as a decimal string of at most 99999999.99. The DTO gets it with two places (`"100.5"`
 * becomes `"100.50"`). A JSON number is rejected: parsing loses its exact digits.
 */
export function MoneyField(options: FieldOptions): PropertyDecorator {
  return Field(
    { type: String, pattern: MONEY_PATTERN },
    options,
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? toMoney(value) : value)),
    Matches(MONEY, {
      message: '$property must be a decimal string with at most two places, from "0.00" to "99999999.99".',
    }),
  );
}

/** The documentation of an amount. */
interface AmountOptions {
  readonly description: string;
  readonly example: string;
  readonly nullable?: boolean;
  readonly places?: keyof typeof AMOUNT_PATTERNS;
}

/** Documents an amount of money in a response: a decimal string with two or `places` places. */
export function ApiAmount({ places = 2, ...options }: AmountOptions): PropertyDecorator {
  return ApiProperty({ ...options, type: String, pattern: AMOUNT_PATTERNS[places] });
}

/** Declares a currency code of ISO 4217; the DTO gets it in upper case. */
export function CurrencyField(options: FieldOptions): PropertyDecorator {
  return Field(
    { type: String },
    options,
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? value.toUpperCase() : value)),
    ValidateBy({
      name: 'isISO4217CurrencyCode',
      validator: {
        validate: isCurrency,
        defaultMessage: () => '$property must be a currency code of ISO 4217 such as USD.',
      },
    }),
  );
}

/** Returns whether ISO 4217 has a currency of this code, in capitals. */
export function isCurrency(code: unknown): boolean {
  return NEW_CURRENCIES.has(code) || (isISO4217CurrencyCode(code) && !NO_CURRENCIES.has(code));
}

/** Returns the amount in hundredths. It is exact: ten digits are below 2^53. */
export function toHundredths(money: string): number {
  return Number(money.replace('.', ''));
}

/** Returns an amount with two places and without leading zeros. Other texts are unchanged, and rejected by the rule. */
function toMoney(text: string): string {
  const [, whole, places = ''] = MONEY.exec(text.trim()) ?? [];
  return whole === undefined ? text : `${Number(whole)}.${places.padEnd(2, '0')}`;
}
