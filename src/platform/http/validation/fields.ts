import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsDate,
  IsInt,
  IsOptional,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';

const DATE = String.raw`(\d{4})-(\d{2})-(\d{2})`;
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?`;
const ZONE = String.raw`(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;

/** RFC 3339 with a zone. `Date.parse` accepts more. */
const INSTANT = new RegExp(`^${DATE}T${TIME}${ZONE}$`, 'i');

/** Second 60 of an instant. @see RFC 3339 section 5.7 */
const LEAP_SECOND = /:60(?:\.\d+)?(?=[Z+-])/i;

/** One value of a list parameter: in quotes, with inner quotes doubled, or unquoted up to the next comma. */
const LIST_VALUE = /(?:\s*"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/gy;

/** Most items of a list parameter. */
const MAX_LIST = 50;

/** Allows the field to be absent, but not null: for NOT NULL columns. */
export function OptionalField(): PropertyDecorator {
  return ValidateIf((_, value: unknown) => value !== undefined);
}

/** Allows the field to be absent or null. In a merge patch null clears it. */
export function NullableField(): PropertyDecorator {
  return IsOptional();
}

/** Validates an optional query parameter as a whole number from `min` to `max`. */
export function IntegerParam(min: number, max: number): PropertyDecorator {
  return applyDecorators(
    OptionalField(),
    Transform(({ value }: TransformFnParams): unknown =>
      typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
    ),
    IsInt(),
    Min(min),
    Max(max),
  );
}

/** Validates an optional query parameter as `true` or `false`. */
export function BooleanParam(): PropertyDecorator {
  return applyDecorators(
    OptionalField(),
    Transform(({ value }: TransformFnParams): unknown => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean({ message: '$property must be true or false.' }),
  );
}

/**
 * Validates an optional query parameter as a list: repeated, or separated by commas. Empty parts are dropped. A value
 * with a comma is quoted: `"Writing, Translation"`. Add `{each: true}` rules for the items.
 */
export function ListParam(): PropertyDecorator {
  return applyDecorators(
    OptionalField(),
    Transform(({ value }: TransformFnParams): unknown => (value === undefined ? undefined : splitList(value))),
    IsArray(),
    // An empty form field must not remove the filter unnoticed.
    ArrayNotEmpty(),
    ArrayMaxSize(MAX_LIST),
  );
}

/** Validates an instant as RFC 3339 with a zone; the DTO gets a Date. Combine with OptionalField or NullableField. */
export function Instant(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => parseInstant(value)),
    IsDate({ message: '$property must be a time such as 2026-01-31T09:30:00Z.' }),
  );
}

function splitList(value: unknown): unknown {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return parts.flatMap((part) => (typeof part === 'string' ? splitValues(part) : [part])).filter((part) => part !== '');
}

function splitValues(list: string): string[] {
  return [...list.matchAll(LIST_VALUE)].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim());
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
