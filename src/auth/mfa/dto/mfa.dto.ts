import { ApiProperty } from '@nestjs/swagger';
import { MAX_PASSWORD_LENGTH, PasswordField } from '../../password-field';
import { AnyCodeField, TotpCodeField } from '../totp-code-field';

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
