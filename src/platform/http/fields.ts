import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsBoolean, IsDate, IsInt, IsOptional, Max, Min, ValidateIf } from 'class-validator';

/** RFC 3339 with a zone; what `Date.parse` takes beyond it is not. */
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

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
    Transform(({ value }: TransformFnParams): unknown =>
      value === 'true' ? true : value === 'false' ? false : value,
    ),
    IsBoolean({ message: '$property must be true or false' }),
  );
}

/** A query parameter holding a list, repeated or by commas, without empty parts; may be absent. Add `{each: true}` rules. */
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
  return parts
    .flatMap((part) => (typeof part === 'string' ? part.split(',') : [part]))
    .map((part) => (typeof part === 'string' ? part.trim() : part))
    .filter((part) => part !== '');
}

function parseInstant(value: unknown): unknown {
  const [, year, month, day] = (typeof value === 'string' && INSTANT.exec(value)) || [];
  if (!year || !month || !day) return value;
  // Date rolls the 30th of February over to March; such a day does not exist.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return value;
  return new Date(value as string);
}
