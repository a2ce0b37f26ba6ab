import { Transform, type TransformFnParams } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsString, ValidateBy, type ValidationOptions } from 'class-validator';
import { Field, type FieldOptions } from './fields';

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
