import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import {
  IsBoolean,
  IsDate,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ArrayMaxSize,
  IsArray,
  IsString,
  type ValidationOptions,
} from 'class-validator';

const DATE = String.raw`(\d{4})-(\d{2})-(\d{2})`;
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?`;
const ZONE = String.raw`(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;

/** RFC 3339 with a zone. `Date.parse` accepts more. */
const INSTANT = new RegExp(`^${DATE}T${TIME}${ZONE}$`, 'i');

/** Second 60 of an instant. @see RFC 3339 section 5.7 */
const LEAP_SECOND = /:60(?:\.\d+)?(?=[Z+-])/i;

/** The documentation of a field, and whether it may be absent or null. */
export interface FieldOptions {
  readonly description: string;
  readonly example?: unknown;
  /** Examples that a request is not built from. */
  readonly examples?: readonly unknown[];
  /** Documented value of an absent query parameter. */
  readonly default?: unknown;
  /** Documents that no response contains the field. */
  readonly writeOnly?: boolean;
  /** The field may be absent, but not null: for NOT NULL columns. */
  readonly optional?: boolean;
  /** The field may be absent or null. In a merge patch null clears it. */
  readonly nullable?: boolean;
}

/** Declares a field once: its JSON schema, its documentation and its rules. The other decorators are made of it. */
export function Field(
  schema: ApiPropertyOptions,
  { optional = false, nullable = false, ...documentation }: FieldOptions,
  ...rules: readonly PropertyDecorator[]
): PropertyDecorator {
  const isRequired = !optional && !nullable;
  const presence = nullable ? [IsOptional()] : optional ? [ValidateIf((_, value: unknown) => value !== undefined)] : [];
  const options = { ...schema, ...(nullable && { nullable }), ...documentation, required: isRequired };
  return applyDecorators(ApiProperty(options as ApiPropertyOptions), ...presence, ...rules);
}

/** Declares a field with one of these texts. */
export function EnumField(values: readonly string[], options: FieldOptions): PropertyDecorator {
  return Field({ type: String, enum: [...values] }, options, IsIn(values));
}

/** Declares a field that is true or false. */
export function BooleanField(options: FieldOptions): PropertyDecorator {
  return Field({ type: Boolean }, options, IsBoolean());
}

/** Declares a whole number from `min` to `max`. */
export function IntegerField({
  min,
  max,
  ...options
}: FieldOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  return Field({ type: 'integer', minimum: min, maximum: max }, options, IsInt(), Min(min), Max(max));
}

/** Largest count that is stored. */
export const MAX_COUNT = 1_000_000;

/** Declares a count from 0 to one million. */
export function CountField(options: FieldOptions): PropertyDecorator {
  return IntegerField({ min: 0, max: MAX_COUNT, ...options });
}

/** Declares a number from `min` to `max` with at most two decimal places. */
export function NumberField({
  min,
  max,
  ...options
}: FieldOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const rules = [IsNumber({ maxDecimalPlaces: 2 }), Min(min), Max(max)];
  return Field({ type: Number, minimum: min, maximum: max }, options, ...rules);
}

/** Declares the id of a row. */
export function IdField(options: FieldOptions): PropertyDecorator {
  return Field({ type: 'integer', minimum: 1 }, options, IsInt(), Min(1), Max(Number.MAX_SAFE_INTEGER));
}

/** Declares an instant, written as RFC 3339 with a zone; the DTO gets a Date. */
export function InstantField(options: FieldOptions): PropertyDecorator {
  return Field(
    { type: String, format: 'date-time' },
    options,
    Transform(({ value }: TransformFnParams): unknown => parseInstant(value)),
    IsDate({ message: '$property must be a time such as 2026-01-31T09:30:00Z.' }),
  );
}

function parseInstant(value: unknown): unknown {
  const [, year, month, day] = (typeof value === 'string' && INSTANT.exec(value)) || [];
  if (!year || !month || !day) return value;
  // Date would convert February 30 to March.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return value;
  return LEAP_SECOND.test(value as string) ? (resolveLeapSecond(value as string) ?? value) : new Date(value as string);
}

/** Returns the minute after a leap second, which ends a month of UTC; undefined for another second 60. */
function resolveLeapSecond(text: string): Date | undefined {
  const next = new Date(Date.parse(text.replace(LEAP_SECOND, ':59')) + 1_000);
  const isStartOfMonth = next.getUTCDate() === 1 && next.getUTCHours() === 0 && next.getUTCMinutes() === 0;
  return isStartOfMonth ? next : undefined;
}

/** Declares an existing day such as 2026-01-31, in the years 2000 to 2199. */
export function DayField(options: FieldOptions): PropertyDecorator {
  return Field(
    { type: String, format: 'date' },
    options,
    ValidateBy({
      name: 'day',
      validator: {
        validate: isDay,
        defaultMessage: () => '$property must be a day such as 2026-01-31, of the years 2000 to 2199',
      },
    }),
  );
}

function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !/^2[01]\d\d-\d\d-\d\d$/.test(value)) return false;
  const instant = Date.parse(value);
  // Date converts the 30th of February to a day of March.
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(value);
}

/** PostgreSQL cannot store NUL. A lone surrogate has no UTF-8 and would silently become U+FFFD. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** The message for such a text, after its name. */
export const UNSTORABLE_MESSAGE = 'contains NUL or half of a surrogate pair';

/** Returns whether a text cannot be stored unchanged. */
export function isUnstorable(text: string): boolean {
  return UNSTORABLE.test(text);
}

/** Longest name in an error message. */
const MAX_DISPLAY_LENGTH = 200;

/** Returns a text for an error message, truncated to 200 characters. */
export function forDisplay(text: string): string {
  return text.length <= MAX_DISPLAY_LENGTH
    ? text
    : `${text.slice(0, MAX_DISPLAY_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Returns one step of a JSON pointer; a long name is truncated. @see RFC 6901 section 3 */
export function pointerStep(key: string | number): string {
  return `/${forDisplay(String(key)).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** Returns the number of code points, the length of a text in PostgreSQL and JSON Schema. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const isPair = (text.charCodeAt(i - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(i) & 0xfc00) === 0xdc00;
    if (isPair) count -= 1;
  }
  return count;
}

/** Returns at most the first `max` code points of a text. */
export function truncateToCodePoints(text: string, max: number): string {
  // A code point has one or two UTF-16 units.
  return text.length <= max ? text : [...text.slice(0, 2 * max)].slice(0, max).join('');
}

/**
 * Validates that a text has `min` to `max` code points, as PostgreSQL and JSON Schema count them. The rules of
 * class-validator ignore variation selectors, so they accept texts that the database rejects.
 */
export function TextLength(min: number, max: number, options?: ValidationOptions): PropertyDecorator {
  const range = min === 0 ? `at most ${max}` : `${min} to ${max}`;
  return ValidateBy(
    {
      name: min === 0 ? 'maxLength' : 'isLength',
      constraints: [min, max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isBetween(value, min, max),
        defaultMessage: () => `$property must have ${range} characters.`,
      },
    },
    options,
  );
}

function isBetween(text: string, min: number, max: number): boolean {
  // A code point has one or two UTF-16 units, so most texts need no counting.
  if (text.length <= max && text.length >= 2 * min) return true;
  if (text.length > 2 * max) return false;
  const length = countCodePoints(text);
  return length >= min && length <= max;
}

/** A text, its longest length, and whether white space around it is kept. */
interface TextOptions extends FieldOptions {
  readonly max: number;
  /** False keeps white space around the text, as in tokens. */
  readonly trim?: boolean;
}

/** Declares a text of 1 to `max` characters. A nullable text may be empty, which means null. */
export function TextField({ max, trim = true, ...options }: TextOptions): PropertyDecorator {
  const min = options.nullable ? 0 : 1;
  return Field(
    { type: String, ...(min > 0 && { minLength: min }), maxLength: max },
    options,
    ...(trim ? [Transform(({ value }: TransformFnParams): unknown => trimText(value, options.nullable))] : []),
    IsString(),
    TextLength(min, max),
  );
}

function trimText(value: unknown, isNullable = false): unknown {
  if (typeof value !== 'string') return value;
  return value.trim() || (isNullable ? null : '');
}

/** A list of texts: the most items, and the longest length of each. */
interface TextListOptions extends FieldOptions {
  readonly maxItems: number;
  readonly max: number;
}

/** Declares a list of at most `maxItems` texts of 1 to `max` characters. */
export function TextListField({ maxItems, max, ...options }: TextListOptions): PropertyDecorator {
  return Field(
    { type: [String], maxItems },
    options,
    IsArray(),
    ArrayMaxSize(maxItems),
    IsString({ each: true }),
    TextLength(1, max, { each: true }),
  );
}
