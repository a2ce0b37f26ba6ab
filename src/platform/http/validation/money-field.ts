import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { isISO4217CurrencyCode, Matches, ValidateBy } from 'class-validator';

/** What numeric(10,2) holds: eight digits before the point. */
const MONEY = /^(\d{1,8})(?:\.(\d{1,2}))?$/;

/** How answers write amounts: numeric(10,2), and numeric(24,12) for what AI costs. */
const AMOUNT_PATTERNS = { 2: '^\\d{1,8}\\.\\d{2}$', 12: '^\\d{1,12}\\.\\d{12}$' } as const;

/** Codes of ISO 4217 that class-validator does not know yet: the Caribbean guilder (2025) and the Zimbabwe Gold (2024). */
const NEW_CURRENCIES: ReadonlySet<unknown> = new Set(['XCG', 'ZWG']);

/** Codes of ISO 4217 that are no currency: "no currency" and "reserved for testing". */
const NO_CURRENCIES: ReadonlySet<unknown> = new Set(['XXX', 'XTS']);

/**
 * A field or query parameter holding an amount of money as a decimal string, at most 99999999.99; the DTO gets it with
 * two places (`"100.5"` becomes `"100.50"`). A JSON number is refused: it has lost its places before we see it.
 */
export function MoneyField(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ pattern: MONEY.source }),
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? toMoney(value) : value)),
    Matches(MONEY, {
      message: '$property must be a decimal string with at most two places, from "0.00" to "99999999.99"',
    }),
  );
}

/** What the documentation says of an amount. */
interface AmountOptions {
  readonly description: string;
  readonly example: string;
  readonly nullable?: boolean;
  readonly places?: keyof typeof AMOUNT_PATTERNS;
}

/** Documents a field of an answer that holds an amount of money: a decimal string with two places, or with `places`. */
export function ApiAmount({ places = 2, ...options }: AmountOptions): PropertyDecorator {
  return ApiProperty({ ...options, type: String, pattern: AMOUNT_PATTERNS[places] });
}

/** A field holding a currency's three letters of ISO 4217; the DTO gets them in capitals. */
export function CurrencyField(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? value.toUpperCase() : value)),
    ValidateBy({
      name: 'isISO4217CurrencyCode',
      validator: { validate: isCurrency, defaultMessage: () => '$property must be a currency of ISO 4217 such as USD' },
    }),
  );
}

function isCurrency(code: unknown): boolean {
  return NEW_CURRENCIES.has(code) || (isISO4217CurrencyCode(code) && !NO_CURRENCIES.has(code));
}

/** The amount in hundredths; exact, since ten digits are far below 2^53. */
export function toHundredths(money: string): number {
  return Number(money.replace('.', ''));
}

/** Two places and no leading zeros; what is no amount stays as it is, for the rule to refuse. */
function toMoney(text: string): string {
  const [, whole, places = ''] = MONEY.exec(text.trim()) ?? [];
  return whole === undefined ? text : `${Number(whole)}.${places.padEnd(2, '0')}`;
}
