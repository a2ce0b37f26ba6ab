import { ApiProperty } from '@nestjs/swagger';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, NewPasswordField, PasswordField } from '../password-field';

/** A change of one's own password. */
export class ChangePasswordDto {
  @ApiProperty({
    description: 'The password until now.',
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'seven green umbrellas',
  })
  @PasswordField()
  readonly currentPassword: string;

  @ApiProperty({
    description: '8 to 128 characters, any of them; 15 or more are advised.',
    minLength: MIN_PASSWORD_LENGTH,
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'eight blue bicycles',
  })
  @NewPasswordField()
  readonly newPassword: string;
}
