import { Transform, type TransformFnParams } from 'class-transformer';
import {
  IsEmail,
  IsString,
  Matches,
  ValidateBy,
  type ValidationArguments,
  type ValidationOptions,
} from 'class-validator';
import { Field, type FieldOptions, countCodePoints, TextLength } from '../../platform/http/validation/fields';
import { Sensitive } from '../../platform/logging/sensitive-fields';
import { hasMailDomain } from '../../platform/mail/email';

/** Longest address that email can be sent to. @see RFC 5321 section 4.5.3.1.3 */
const MAX_EMAIL_LENGTH = 254;

/** White space around an address. @see https://html.spec.whatwg.org/multipage/input.html#email-state-(type=email) */
const WHITE_SPACE_AROUND = /^[\t\n\f\r ]+|(?<![\t\n\f\r ])[\t\n\f\r ]+$/g;

/** White space, control characters and invisible characters, with which two different addresses look the same. */
const INVISIBLE_CHARACTER = /[\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Declares an email address; white space around it is removed. */
export function EmailField(): PropertyDecorator {
  return Field(
    { format: 'email', maxLength: MAX_EMAIL_LENGTH },
    {
      description: 'Email address. Letter case is ignored, and both spellings of an international domain are the same.',
      example: 'ann@example.com',
    },
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

/**
 * Requires one @ and a domain that email can be sent to, and refuses quotation marks: `"ann"@example.com` is another
 * spelling of ann@example.com (RFC 5321 section 4.1.2). The database checks the same.
 */
function HasOneAt(): PropertyDecorator {
  return ValidateBy({
    name: 'mailAddress',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && value.split('@').length === 2 && !value.includes('"') && hasMailDomain(value),
      defaultMessage: () => '$property must have one @, a valid domain after it and no quotation marks.',
    },
  });
}

function describeInvisibleCharacter(value: unknown): string {
  const [character = ''] = (typeof value === 'string' && INVISIBLE_CHARACTER.exec(value)) || [];
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `${/\p{Z}/u.test(character) ? 'white space' : 'an invisible character'} (U+${code})`;
}

/** Limits in characters (code points), not bytes or UTF-16 units. 15 or more are advised; any character is allowed. */
const MIN_PASSWORD_LENGTH = 8;
const MAX_PASSWORD_LENGTH = 128;

/** Declares a new password: any 8 to 128 characters. @see NIST SP 800-63B section 3.1.1.2 */
export function NewPasswordField(options: Partial<FieldOptions> = {}): PropertyDecorator {
  return Field(
    { type: String, minLength: MIN_PASSWORD_LENGTH, maxLength: MAX_PASSWORD_LENGTH },
    {
      description: 'New password: any 8 to 128 characters; 15 or more are advised.',
      example: 'seven green umbrellas',
      ...options,
    },
    Sensitive(),
    IsString(),
    HasLength(MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH),
  );
}

/** Declares an existing password: not empty, and at most the length of a new password. */
export function PasswordField(options: Partial<FieldOptions> = {}): PropertyDecorator {
  return Field(
    { type: String, minLength: 1, maxLength: MAX_PASSWORD_LENGTH },
    { description: 'Password of the account.', example: 'seven green umbrellas', ...options },
    Sensitive(),
    IsString(),
    HasLength(1, MAX_PASSWORD_LENGTH),
  );
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

/** Counts the characters of the NFC form, which is the form that is hashed. */
function countCharacters(text: string): number {
  // A cheap bound first: strangers must not be able to make the server normalize a megabyte.
  if (text.length > MAX_PASSWORD_LENGTH * 8) return Infinity;
  return countCodePoints(text.normalize('NFC'));
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** Form of an authenticator's code; any other code is treated as a backup code. */
const TOTP_CODE = /^[0-9]{6}$/;

/** Longest accepted code, white space included. */
const MAX_CODE_LENGTH = 64;

/** Declares the six digits of an authenticator. Removes white space: authenticators show `123 456`. */
export function TotpCodeField(options: Partial<FieldOptions> = {}): PropertyDecorator {
  const description = 'Six digits of the authenticator, with or without white space.';
  return Field(
    { type: String },
    { description, example: '287082', ...options },
    Sensitive(),
    WithoutSpaces(),
    IsString(),
    Matches(TOTP_CODE, { message: '$property must be six digits' }),
  );
}

/** Declares the six digits of an authenticator or a backup code, and removes white space. */
export function AnyCodeField(options: Partial<FieldOptions> = {}): PropertyDecorator {
  return Field(
    { type: String, minLength: 1, maxLength: MAX_CODE_LENGTH },
    { description: 'Code of the authenticator or backup code.', example: '287082', ...options },
    Sensitive(),
    WithoutSpaces(),
    IsString(),
    TextLength(1, MAX_CODE_LENGTH),
  );
}

/** Returns whether a code is an authenticator's; any other code is treated as a backup code. */
export function isTotpCode(code: string): boolean {
  return TOTP_CODE.test(code);
}

function WithoutSpaces(): PropertyDecorator {
  return Transform(({ value }: TransformFnParams): unknown =>
    typeof value === 'string' && value.length <= MAX_CODE_LENGTH ? value.replace(/\s/g, '') : value,
  );
}
