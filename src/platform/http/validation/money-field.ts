import { ApiProperty } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { Matches, ValidateBy } from 'class-validator';
import { Field, type FieldOptions } from './fields';
import { AMOUNT_PATTERN, isCurrency, MONEY, MONEY_PATTERN, toMoney } from './money';

/** Patterns of amounts in responses by their places: numeric(10,2), and numeric(24,12) for AI costs. */
const AMOUNT_PATTERNS = { 2: AMOUNT_PATTERN, 12: '^\\d{1,12}\\.\\d{12}$' } as const;

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
