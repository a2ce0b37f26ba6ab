import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
import { PasswordField } from '../../auth/password-field';

/** The form by which an admin confirms himself again. */
export class ConfirmDto {
  @PasswordField()
  readonly password: string;

  @IsString()
  @TextLength(1, 64)
  readonly code: string;
}
