import { Transform, type TransformFnParams } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsString,
  Max,
  Min,
} from 'class-validator';
import { Field, type FieldOptions, MAX_COUNT, TextLength } from './fields';

/** One value of a list parameter: in quotes, with inner quotes doubled, or unquoted up to the next comma. */
const LIST_VALUE = /(?:\s*"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/gy;

/** Most items of a list parameter. */
const MAX_LIST = 50;

/** The documentation of a query parameter. It may be absent. */
type ParamOptions = Omit<FieldOptions, 'optional' | 'nullable'>;

/** Declares a query parameter with a whole number from `min` to `max`. */
export function IntegerParam({
  min,
  max,
  ...options
}: ParamOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const schema = { type: 'integer', minimum: min, maximum: max } as const;
  return Field(schema, { ...options, optional: true }, Transform(parseInteger), IsInt(), Min(min), Max(max));
}

/** Declares a query parameter with a count from 0 to one million. */
export function CountParam(options: ParamOptions): PropertyDecorator {
  return IntegerParam({ min: 0, max: MAX_COUNT, ...options });
}

/** Declares a query parameter with a number from `min` to `max` with at most two decimal places. */
export function NumberParam({
  min,
  max,
  ...options
}: ParamOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const schema = { type: Number, minimum: min, maximum: max } as const;
  const rules = [Transform(parseNumber), IsNumber({ maxDecimalPlaces: 2 }), Min(min), Max(max)];
  return Field(schema, { ...options, optional: true }, ...rules);
}

/** Declares a query parameter with the id of a row. */
export function IdParam(options: ParamOptions): PropertyDecorator {
  const rules = [Transform(parseInteger), IsInt(), Min(1), Max(Number.MAX_SAFE_INTEGER)];
  return Field({ type: 'integer', minimum: 1 }, { ...options, optional: true }, ...rules);
}

/** Declares a query parameter that is `true` or `false`. */
export function BooleanParam(options: ParamOptions): PropertyDecorator {
  return Field(
    { type: Boolean },
    { ...options, optional: true },
    Transform(({ value }: TransformFnParams): unknown => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean({ message: '$property must be true or false.' }),
  );
}

/** Declares a query parameter with a list of these texts. */
export function EnumListParam(values: readonly string[], options: ParamOptions): PropertyDecorator {
  return ListParam({ type: [String], enum: [...values] }, options, IsIn(values, { each: true }));
}

/** Declares a query parameter with a list of texts of 1 to `max` characters each. */
export function TextListParam({ max, ...options }: ParamOptions & { readonly max: number }): PropertyDecorator {
  return ListParam({ type: [String] }, options, IsString({ each: true }), TextLength(1, max, { each: true }));
}

/**
 * Declares a list: repeated, or separated by commas. Empty parts are dropped. A value with a comma is quoted:
 * `"Writing, Translation"`.
 */
function ListParam(
  schema: Parameters<typeof Field>[0],
  options: ParamOptions,
  ...itemRules: readonly PropertyDecorator[]
): PropertyDecorator {
  return Field(
    schema,
    { ...options, optional: true },
    Transform(({ value }: TransformFnParams): unknown => (value === undefined ? undefined : splitList(value))),
    IsArray(),
    // An empty form field must not remove the filter unnoticed.
    ArrayNotEmpty(),
    ArrayMaxSize(MAX_LIST),
    ...itemRules,
  );
}

function parseInteger({ value }: TransformFnParams): unknown {
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

function parseNumber({ value }: TransformFnParams): unknown {
  return typeof value === 'string' && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : value;
}

function splitList(value: unknown): unknown {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return parts.flatMap((part) => (typeof part === 'string' ? splitValues(part) : [part])).filter((part) => part !== '');
}

function splitValues(list: string): string[] {
  return [...list.matchAll(LIST_VALUE)].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim());
}
