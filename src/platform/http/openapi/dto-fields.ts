import type { Type } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions, DECORATORS } from '@nestjs/swagger';
import { AMOUNT_PATTERN, MONEY_PATTERN } from '../validation/money';

/** What a DTO class documents about one field. */
export interface FieldSchema {
  readonly type?: unknown;
  readonly isArray?: boolean;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly example?: unknown;
}

/** Field names by class; decorators do not change later. */
const NAMES = new WeakMap<object, readonly string[]>();

/** Returns the names of the fields that a DTO class documents, in their order. */
export function listFields<T extends object>(type: Type<T>): readonly (keyof T & string)[] {
  let names = NAMES.get(type);
  if (!names) NAMES.set(type, (names = readKeys(type.prototype as object).map((key) => key.slice(1))));
  return names as readonly (keyof T & string)[];
}

/** Returns the documentation of a field. */
export function describeField(type: Type, name: string): FieldSchema {
  return Reflect.getMetadata(DECORATORS.API_MODEL_PROPERTIES, type.prototype as object, name) as FieldSchema;
}

type PickFields = (row: object) => object;

/** Copying functions by class. */
const PICKS = new WeakMap<object, PickFields>();

/** Returns the documented fields of a row. */
export function pickFields<T extends object>(type: Type<T>, row: T): T {
  let pick = PICKS.get(type);
  if (!pick) PICKS.set(type, (pick = compilePick(listFields(type))));
  return pick(row) as T;
}

/** Compiles an object literal, which V8 builds many times as fast as a loop over the names. */
function compilePick(names: readonly string[]): PickFields {
  const properties = names.map((name) => JSON.stringify(name)).map((name) => `${name}: row[${name}]`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the code contains only names of fields, as JSON
  return new Function('row', `return { ${properties.join(', ')} };`) as PickFields;
}

/**
 * Returns the base class of a response: it has the fields of a request body, each with a value, and their
 * documentation. Amounts have two places. Nest's mapped types, such as OmitType, can leave fields out before.
 */
export function ResponseType<T extends object>(body: Type<T>): Type<Required<T>> {
  class ResponseTypeClass {}
  for (const name of listFields(body)) {
    const schema = describeField(body, name);
    const pattern = schema.pattern === MONEY_PATTERN ? AMOUNT_PATTERN : schema.pattern;
    ApiProperty({ ...schema, pattern, required: true } as ApiPropertyOptions)(ResponseTypeClass.prototype, name);
  }
  return ResponseTypeClass as Type<Required<T>>;
}

/** Documents the id of a resource, as its first field. */
export function ApiId(description: string): PropertyDecorator {
  return (target, name) => {
    ApiProperty({ type: 'integer', description, example: 42 })(target, name);
    const others = readKeys(target).filter((key) => key !== `:${String(name)}`);
    Reflect.defineMetadata(DECORATORS.API_MODEL_PROPERTIES_ARRAY, [`:${String(name)}`, ...others], target);
  };
}

/** Documents the number of a resource's version. */
export function ApiVersionNumber(): PropertyDecorator {
  const description =
    'Version number, one higher after each change. The ETag begins with it: take it from the response.';
  return ApiProperty({ type: 'integer', description, example: 1 });
}

/** Documents an instant. Without an example, a nullable one has the example null. */
export function ApiInstant(options: { description: string; nullable?: true; example?: string }): PropertyDecorator {
  const { description, nullable, example = nullable ? null : '2026-01-31T09:30:00.000Z' } = options;
  return ApiProperty({ type: String, format: 'date-time', nullable, description, example });
}

/** Returns the keys under which Nest keeps the fields of a class: `:name`. */
function readKeys(prototype: object): readonly string[] {
  return (Reflect.getMetadata(DECORATORS.API_MODEL_PROPERTIES_ARRAY, prototype) ?? []) as readonly string[];
}
