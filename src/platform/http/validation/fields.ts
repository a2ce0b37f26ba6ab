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

/** RFC 3339 with a zone; what `Date.parse` takes beyond it is not. */
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** The second 60 of an instant. @see RFC 3339 section 5.7 */
const LEAP_SECOND = /:60(?:\.\d+)?(?=[Z+-])/i;

/** One value of a list parameter: quoted, with each quote in it doubled, or plain up to the next comma. */
const LIST_VALUE = /(?:\s*"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/gy;

/** Longest list a query may carry. */
const MAX_LIST = 50;

/** The field may be absent, but not null: for what the table declares NOT NULL. */
export function OptionalField(): PropertyDecorator {
  return ValidateIf((_, value: unknown) => value !== undefined);
}

/** The field may be absent or null; in a merge patch null clears it. */
export function NullableField(): PropertyDecorator {
  return IsOptional();
}

/** A query parameter holding a whole number from `min` to `max`; may be absent. */
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

/** A query parameter holding `true` or `false`; may be absent. */
export function BooleanParam(): PropertyDecorator {
  return applyDecorators(
    OptionalField(),
    Transform(({ value }: TransformFnParams): unknown => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean({ message: '$property must be true or false' }),
  );
}

/**
 * A query parameter holding a list, repeated or by commas, without empty parts; may be absent. A value with a comma in it is
 * quoted: `"Writing, Translation"`. Add `{each: true}` rules.
 */
export function ListParam(): PropertyDecorator {
  return applyDecorators(
    OptionalField(),
    Transform(({ value }: TransformFnParams): unknown => (value === undefined ? undefined : splitList(value))),
    IsArray(),
    // An empty form field must not widen the list unnoticed.
    ArrayNotEmpty(),
    ArrayMaxSize(MAX_LIST),
  );
}

/** A field or query parameter holding an instant as RFC 3339 with a zone; the DTO gets a Date. Combine with Optional- or NullableField. */
export function Instant(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => parseInstant(value)),
    IsDate({ message: '$property must be a time such as 2026-01-31T09:30:00Z' }),
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
  // Date rolls the 30th of February over to March; such a day does not exist.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return value;
  return LEAP_SECOND.test(value as string) ? (resolveLeapSecond(value as string) ?? value) : new Date(value as string);
}

/** Returns the minute that follows a leap second, which ends a month of UTC; undefined for any other second 60. */
function resolveLeapSecond(text: string): Date | undefined {
  const next = new Date(Date.parse(text.replace(LEAP_SECOND, ':59')) + 1_000);
  const isStartOfMonth = next.getUTCDate() === 1 && next.getUTCHours() === 0 && next.getUTCMinutes() === 0;
  return isStartOfMonth ? next : undefined;
}
