import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsEmail, IsString, ValidateBy, type ValidationArguments } from 'class-validator';
import { TextLength } from '../platform/http/text-length';
import { hasMailDomain } from '../platform/mail/email-address';

/** Longest address that can be mailed. @see RFC 5321 section 4.5.3.1.3 */
const MAX_EMAIL_LENGTH = 254;

/** White space of ASCII around an address. @see https://html.spec.whatwg.org/multipage/input.html#email-state-(type=email) */
const WHITE_SPACE_AROUND = /^[\t\n\f\r ]+|(?<![\t\n\f\r ])[\t\n\f\r ]+$/g;

/** White space, controls, and characters that show nothing: by them two addresses look the same. */
const UNSEEN = /[\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

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
    HasNothingUnseen(),
    HasOneAt(),
  );
}

function HasNothingUnseen(): PropertyDecorator {
  return ValidateBy({
    name: 'seen',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && !UNSEEN.test(value),
      defaultMessage: (given?: ValidationArguments) => `$property has ${nameOfUnseen(given?.value)} in it. Remove it.`,
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

function nameOfUnseen(value: unknown): string {
  const [character = ''] = (typeof value === 'string' && UNSEEN.exec(value)) || [];
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `${/\p{Z}/u.test(character) ? 'white space' : 'an invisible character'} (U+${code})`;
}
