import { ApiProperty } from '@nestjs/swagger';

/** The password was right; a code must follow. */
export class MfaRequiredDto {
  @ApiProperty({ description: 'Always true.', enum: [true], example: true })
  readonly mfaRequired: true;

  @ApiProperty({ description: 'For POST /v1/auth/login/mfa, good for five minutes.', example: 'eyJhbGciOiJIUzI1NiJ9…' })
  readonly mfaToken: string;
}
