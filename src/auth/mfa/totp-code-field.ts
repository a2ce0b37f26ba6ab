import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsString, Matches } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';

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
