import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsString } from 'class-validator';
import { TextLength } from '../platform/http/text-length';

/** Longest address that can be mailed. @see RFC 5321 section 4.5.3.1.3 */
const MAX_EMAIL_LENGTH = 254;

/** An e-mail address; its letter case does not matter. */
export function EmailField(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      description: 'E-mail address; upper and lower case are the same.',
      format: 'email',
      maxLength: MAX_EMAIL_LENGTH,
      example: 'ann@example.com',
    }),
    IsString(),
    TextLength(0, MAX_EMAIL_LENGTH),
    IsEmail(),
  );
}
