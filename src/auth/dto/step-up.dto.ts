import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { OptionalField } from '../../platform/http/fields';
import { AnyCodeField } from '../mfa/totp-code-field';
import { MAX_PASSWORD_LENGTH, PasswordField } from '../password-field';

/** Proof that it is still the owner. */
export class StepUpDto {
  @ApiProperty({ description: 'The password.', maxLength: MAX_PASSWORD_LENGTH, example: 'seven green umbrellas' })
  @PasswordField()
  readonly password: string;

  @ApiPropertyOptional({
    description: 'A code of the authenticator, or a backup code; needed when two-factor sign-in is on.',
    maxLength: 64,
    example: '287082',
  })
  @OptionalField()
  @AnyCodeField()
  readonly code?: string;
}
