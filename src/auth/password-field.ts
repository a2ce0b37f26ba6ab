import { applyDecorators } from '@nestjs/common';
import { IsString, ValidateBy, type ValidationOptions } from 'class-validator';
import { codePointsIn } from '../platform/http/text';

/** In characters (code points), not bytes or UTF-16 units. 15 and more are advised; nothing is asked of their kind. */
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 128;

/** A password to be set: 8 to 128 characters, any of them. @see NIST SP 800-63B section 3.1.1.2 */
export function NewPasswordField(): PropertyDecorator {
  return applyDecorators(IsString(), HasCharacters(MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH));
}

/** A password to be checked: not empty, and never longer than one that could have been set. */
export function PasswordField(): PropertyDecorator {
  return applyDecorators(IsString(), HasCharacters(1, MAX_PASSWORD_LENGTH));
}

function HasCharacters(min: number, max: number, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'length',
      constraints: [min, max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isBetween(charactersOf(value), min, max),
        defaultMessage: () => `$property must have ${min} to ${max} characters`,
      },
    },
    options,
  );
}

/** Of the NFC form, which is what is hashed. */
function charactersOf(text: string): number {
  // A cheap bound first: normalising a megabyte is work a stranger should not get for nothing.
  if (text.length > MAX_PASSWORD_LENGTH * 8) return Infinity;
  return codePointsIn(text.normalize('NFC'));
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}
