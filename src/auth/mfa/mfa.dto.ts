import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { AnyCodeField, MAX_PASSWORD_LENGTH, PasswordField, TotpCodeField } from '../accounts/credential-fields';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/validation/text';
import { OptionalField } from '../../platform/http/validation/fields';

/** Asks for a secret. */
export class EnrolTotpDto {
  @ApiProperty({ description: 'The password.', maxLength: MAX_PASSWORD_LENGTH, example: 'seven green umbrellas' })
  @PasswordField()
  readonly password: string;
}

/** The first code of the authenticator. */
export class ConfirmTotpDto {
  @ApiProperty({
    description: 'The six digits the authenticator shows, with or without white space.',
    example: '287082',
  })
  @TotpCodeField()
  readonly code: string;
}

/** Proof of both factors. */
export class PasswordAndCodeDto {
  @ApiProperty({ description: 'The password.', maxLength: MAX_PASSWORD_LENGTH, example: 'seven green umbrellas' })
  @PasswordField()
  readonly password: string;

  @ApiProperty({ description: 'A code of the authenticator, or a backup code.', maxLength: 64, example: '287082' })
  @AnyCodeField()
  readonly code: string;
}

/** The state of two-factor sign-in. */
export class MfaStatusDto {
  @ApiProperty({ description: 'Whether signing in takes a code.', example: true })
  readonly totpEnabled: boolean;

  @ApiProperty({ description: 'Backup codes not used yet.', example: 10 })
  readonly backupCodesLeft: number;
}

/** What an authenticator needs; shown once. */
export class TotpEnrolmentDto {
  @ApiProperty({ description: 'The secret in base32, to be typed in.', example: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' })
  readonly secret: string;

  @ApiProperty({
    description: 'The same for an authenticator on this device.',
    example:
      'otpauth://totp/Gigvault:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Gigvault&algorithm=SHA1&digits=6&period=30',
  })
  readonly otpauthUrl: string;

  @ApiProperty({
    description: 'The same as a QR code: an SVG as a data URL.',
    example: 'data:image/svg+xml;base64,PHN2Zy…',
  })
  readonly qrCode: string;
}

/** New backup codes; shown once. */
export class BackupCodesDto {
  @ApiProperty({ description: 'Ten codes, each good once.', type: [String], example: ['ABCDEF-GHJKMN-PQRSTV-WXYZ23'] })
  readonly backupCodes: string[];
}

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

/** The password was right; a code must follow. */
export class MfaRequiredDto {
  @ApiProperty({ description: 'Always true.', enum: [true], example: true })
  readonly mfaRequired: true;

  @ApiProperty({ description: 'For POST /v1/auth/login/mfa, good for five minutes.', example: 'eyJhbGciOiJIUzI1NiJ9…' })
  readonly mfaToken: string;
}
