import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
import { AnyCodeField } from '../../auth/mfa/totp-code-field';

/** The second step of the dashboard's sign-in form, which has one field for both kinds of codes. */
export class SignInCodeDto {
  @ApiProperty({ type: String, maxLength: 2000, description: 'What the first step gave.' })
  @IsString()
  @TextLength(1, 2_000)
  readonly mfaToken: string;

  @ApiProperty({ type: String, maxLength: 64, description: 'Six digits of the authenticator, or a backup code.' })
  @AnyCodeField()
  readonly code: string;
}
