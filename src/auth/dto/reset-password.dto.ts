import { ApiProperty } from '@nestjs/swagger';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, NewPasswordField } from '../password-field';
import { OneTimeTokenDto } from './one-time-token.dto';

/** A new password for who opened the mailed link. */
export class ResetPasswordDto extends OneTimeTokenDto {
  @ApiProperty({
    description: '8 to 128 characters, any of them; 15 or more are advised.',
    minLength: MIN_PASSWORD_LENGTH,
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'eight blue bicycles',
  })
  @NewPasswordField()
  readonly password: string;
}
