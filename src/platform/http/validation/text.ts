import { IsString, ValidateBy, type ValidationOptions } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { NullableField } from './fields';

/** NUL cannot be stored as text by PostgreSQL; a lone surrogate has no UTF-8 and would silently become U+FFFD. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Whether a text holds what cannot be stored unchanged. */
export function isUnstorable(text: string): boolean {
  return UNSTORABLE.test(text);
}

/** Longest name that an error repeats. */
const MAX_DISPLAY_LENGTH = 200;

/** Returns a text as an error shows it: cut where it is longer than a person reads. */
export function forDisplay(text: string): string {
  return text.length <= MAX_DISPLAY_LENGTH
    ? text
    : `${text.slice(0, MAX_DISPLAY_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Returns one step of a JSON pointer; a very long name is cut. @see RFC 6901 section 3 */
export function pointerStep(key: string | number): string {
  return `/${forDisplay(String(key)).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** Returns the number of code points, which is what PostgreSQL and JSON Schema call a text's length. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const isPair = (text.charCodeAt(i - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(i) & 0xfc00) === 0xdc00;
    if (isPair) count -= 1;
  }
  return count;
}

/** Returns the first code points of a text, at most `max` of them. */
export function truncateToCodePoints(text: string, max: number): string {
  // No text has more code points than UTF-16 units, and none that is cut here needs more than two units each.
  return text.length <= max ? text : [...text.slice(0, 2 * max)].slice(0, max).join('');
}

/**
 * The text has `min` to `max` code points, as PostgreSQL and JSON Schema count them. class-validator's own rules leave
 * out variation selectors, so they accept texts that the database refuses.
 */
export function TextLength(min: number, max: number, options?: ValidationOptions): PropertyDecorator {
  const range = min === 0 ? `at most ${max}` : `${min} to ${max}`;
  return ValidateBy(
    {
      name: min === 0 ? 'maxLength' : 'isLength',
      constraints: [min, max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isBetween(value, min, max),
        defaultMessage: () => `$property must have ${range} characters`,
      },
    },
    options,
  );
}

function isBetween(text: string, min: number, max: number): boolean {
  // A code point is one or two UTF-16 units: most texts need not be counted, and none that is far too long.
  if (text.length <= max && text.length >= 2 * min) return true;
  if (text.length > 2 * max) return false;
  const length = countCodePoints(text);
  return length >= min && length <= max;
}

/** A text of 1 to `max` characters, without the white space around it. */
export function TextField(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? value.trim() : value)),
    IsString(),
    TextLength(1, max),
  );
}

/** A text of at most `max` characters that may be absent or null; an empty one is none, so it becomes null. */
export function NullableTextField(max: number): PropertyDecorator {
  return applyDecorators(
    NullableField(),
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? value.trim() || null : value)),
    IsString(),
    TextLength(0, max),
  );
}
