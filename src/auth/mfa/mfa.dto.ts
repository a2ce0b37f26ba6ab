import { ApiProperty } from '@nestjs/swagger';
import { AnyCodeField, PasswordField, TotpCodeField } from '../accounts/credential-fields';
import { TextField } from '../../platform/http/validation/fields';
import { Sensitive } from '../../platform/logging/sensitive-fields';

/** The password that confirms an enrolment. */
export class EnrolTotpDto {
  @PasswordField()
  readonly password: string;
}

/** The first code of the authenticator. */
export class ConfirmTotpDto {
  @TotpCodeField()
  readonly code: string;
}

/** Both factors of the account. */
export class PasswordAndCodeDto {
  @PasswordField()
  readonly password: string;

  @AnyCodeField()
  readonly code: string;
}

/** Status of two-factor sign-in. */
export class MfaStatusDto {
  @ApiProperty({ description: 'True when signing in requires a code.', example: true })
  readonly totpEnabled: boolean;

  @ApiProperty({ description: 'Number of unused backup codes.', example: 10 })
  readonly backupCodesLeft: number;
}

/** The secret for an authenticator, in three forms; shown once. */
export class TotpEnrolmentDto {
  @ApiProperty({ description: 'Secret in base32, for typing in.', example: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' })
  @Sensitive()
  readonly secret: string;

  @ApiProperty({
    description: 'The secret as a URL, for an authenticator on this device.',
    example:
      'otpauth://totp/Gigvault:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Gigvault' +
      '&algorithm=SHA1&digits=6&period=30',
  })
  @Sensitive()
  readonly otpauthUrl: string;

  @ApiProperty({
    description: 'The URL as a QR code: an SVG as a data URL.',
    example: 'data:image/svg+xml;base64,PHN2Zy…',
  })
  @Sensitive()
  readonly qrCode: string;
}

/** New backup codes; shown once. */
export class BackupCodesDto {
  @ApiProperty({
    description: 'Ten codes. Each can be used once.',
    type: [String],
    example: ['ABCDEF-GHJKMN-PQRSTV-WXYZ23'],
  })
  @Sensitive()
  readonly backupCodes: string[];
}

/** The second step of signing in: a code or a backup code. */
export class LoginMfaDto {
  @TextField({
    max: 2000,
    trim: false,
    description: '`mfaToken` of POST /v1/auth/login, valid for five minutes.',
    example: 'eyJhbGciOiJIUzI1NiJ9…',
  })
  @Sensitive()
  readonly mfaToken: string;

  @TotpCodeField({ optional: true })
  readonly code?: string;

  @AnyCodeField({
    optional: true,
    description: 'Backup code, instead of `code`.',
    example: undefined,
    examples: ['ABCDEF-GHJKMN-PQRSTV-WXYZ23'],
  })
  readonly backupCode?: string;
}

/** The response to a right password that a code must follow. */
export class MfaRequiredDto {
  @ApiProperty({ description: 'Always true.', enum: [true], example: true })
  readonly mfaRequired: true;

  @ApiProperty({
    description: 'Token for POST /v1/auth/login/mfa, valid for five minutes.',
    example: 'eyJhbGciOiJIUzI1NiJ9…',
  })
  @Sensitive()
  readonly mfaToken: string;
}
