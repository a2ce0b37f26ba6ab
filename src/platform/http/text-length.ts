import { ValidateBy, type ValidationOptions } from 'class-validator';
import { codePointsIn } from './text';

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
  const length = codePointsIn(text);
  return length >= min && length <= max;
}
