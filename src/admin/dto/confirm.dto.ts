import { IsString, Length } from 'class-validator';
import { PasswordField } from '../../auth/password-field';

/** The form by which an admin confirms himself again. */
export class ConfirmDto {
  @PasswordField()
  readonly password: string;

  @IsString()
  @Length(1, 64)
  readonly code: string;
}
