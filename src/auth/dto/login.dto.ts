import { ApiProperty } from '@nestjs/swagger';
import { EmailField } from '../email-field';
import { MAX_PASSWORD_LENGTH, PasswordField } from '../password-field';

/** Somebody who signs in. */
export class LoginDto {
  @EmailField()
  readonly email: string;

  @ApiProperty({ description: 'The password.', maxLength: MAX_PASSWORD_LENGTH, example: 'seven green umbrellas' })
  @PasswordField()
  readonly password: string;
}
