import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../../platform/http/text-length';
import { OptionalField } from '../../../platform/http/fields';
import { AnyCodeField, TotpCodeField } from '../totp-code-field';

/** The second step of signing in: one of the two codes. */
export class LoginMfaDto {
  @ApiProperty({
    description: 'The mfaToken of the first step; good for five minutes.',
    maxLength: 2000,
    example: 'eyJhbGciOiJIUzI1NiJ9…',
  })
  @IsString()
  @TextLength(1, 2000)
  readonly mfaToken: string;

  @ApiPropertyOptional({
    description: 'The six digits the authenticator shows, with or without white space.',
    example: '287082',
  })
  @OptionalField()
  @TotpCodeField()
  readonly code?: string;

  @ApiPropertyOptional({
    description: 'One of the backup codes, instead.',
    maxLength: 64,
    examples: ['ABCDEF-GHJKMN-PQRSTV-WXYZ23'],
  })
  @OptionalField()
  @AnyCodeField()
  readonly backupCode?: string;
}
