import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import {
  IsEmail,
  IsString,
  Matches,
  ValidateBy,
  type ValidationArguments,
  type ValidationOptions,
} from 'class-validator';
import { countCodePoints, TextLength } from '../../platform/http/validation/text';
import { hasMailDomain } from '../../platform/mail/email';

/** Longest address that can be mailed. @see RFC 5321 section 4.5.3.1.3 */
const MAX_EMAIL_LENGTH = 254;

/** White space of ASCII around an address. @see https://html.spec.whatwg.org/multipage/input.html#email-state-(type=email) */
const WHITE_SPACE_AROUND = /^[\t\n\f\r ]+|(?<![\t\n\f\r ])[\t\n\f\r ]+$/g;

/** White space, controls, and characters that show nothing: by them two addresses look the same. */
const INVISIBLE_CHARACTER = /[\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/** An e-mail address; its letter case does not matter, nor does white space around it. */
export function EmailField(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      description:
        'E-mail address; upper and lower case are the same, and so are both spellings of an international domain.',
      format: 'email',
      maxLength: MAX_EMAIL_LENGTH,
      example: 'ann@example.com',
    }),
    Transform(({ value }: TransformFnParams): unknown =>
      typeof value === 'string' ? value.replace(WHITE_SPACE_AROUND, '') : value,
    ),
    IsString(),
    TextLength(0, MAX_EMAIL_LENGTH),
    IsEmail(),
    HasNoInvisibleCharacter(),
    HasOneAt(),
  );
}

function HasNoInvisibleCharacter(): PropertyDecorator {
  return ValidateBy({
    name: 'seen',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && !INVISIBLE_CHARACTER.test(value),
      defaultMessage: (given?: ValidationArguments) =>
        `$property has ${describeInvisibleCharacter(given?.value)} in it. Remove it.`,
    },
  });
}

/** What the database asks too: one @, and a domain that mail can be sent to. */
function HasOneAt(): PropertyDecorator {
  return ValidateBy({
    name: 'mailAddress',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && value.split('@').length === 2 && hasMailDomain(value),
      defaultMessage: () => '$property must have one @ and a valid domain behind it.',
    },
  });
}

function describeInvisibleCharacter(value: unknown): string {
  const [character = ''] = (typeof value === 'string' && INVISIBLE_CHARACTER.exec(value)) || [];
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `${/\p{Z}/u.test(character) ? 'white space' : 'an invisible character'} (U+${code})`;
}

/** In characters (code points), not bytes or UTF-16 units. 15 and more are advised; nothing is asked of their kind. */
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 128;

/** A password to be set: 8 to 128 characters, any of them. @see NIST SP 800-63B section 3.1.1.2 */
export function NewPasswordField(): PropertyDecorator {
  return applyDecorators(IsString(), HasLength(MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH));
}

/** A password to be checked: not empty, and never longer than one that could have been set. */
export function PasswordField(): PropertyDecorator {
  return applyDecorators(IsString(), HasLength(1, MAX_PASSWORD_LENGTH));
}

function HasLength(min: number, max: number, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'length',
      constraints: [min, max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isBetween(countCharacters(value), min, max),
        defaultMessage: () => `$property must have ${min} to ${max} characters`,
      },
    },
    options,
  );
}

/** Of the NFC form, which is what is hashed. */
function countCharacters(text: string): number {
  // A cheap bound first: normalising a megabyte is work a stranger should not get for nothing.
  if (text.length > MAX_PASSWORD_LENGTH * 8) return Infinity;
  return countCodePoints(text.normalize('NFC'));
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** What an authenticator shows; anything else is taken for a backup code. */
const TOTP_CODE = /^[0-9]{6}$/;

/** Longest code with white space that is read. */
const MAX_CODE_LENGTH = 64;

/** The six digits an authenticator shows. White space in them is left out: authenticators show `123 456`. */
export function TotpCodeField(): PropertyDecorator {
  return applyDecorators(WithoutSpaces(), IsString(), Matches(TOTP_CODE, { message: '$property must be six digits' }));
}

/** Six digits of an authenticator, or a backup code; white space in them is left out. */
export function AnyCodeField(): PropertyDecorator {
  return applyDecorators(WithoutSpaces(), IsString(), TextLength(1, MAX_CODE_LENGTH));
}

/** Returns whether the code is one of an authenticator; anything else is taken for a backup code. */
export function isTotpCode(code: string): boolean {
  return TOTP_CODE.test(code);
}

function WithoutSpaces(): PropertyDecorator {
  return Transform(({ value }: TransformFnParams): unknown =>
    typeof value === 'string' && value.length <= MAX_CODE_LENGTH ? value.replace(/\s/g, '') : value,
  );
}
