import { applyDecorators } from '@nestjs/common';
import { IsString, Matches } from 'class-validator';

/** The six digits an authenticator shows. */
export function TotpCodeField(): PropertyDecorator {
  return applyDecorators(IsString(), Matches(/^[0-9]{6}$/, { message: '$property must be six digits' }));
}
