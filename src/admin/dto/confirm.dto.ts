import { AnyCodeField } from '../../auth/mfa/totp-code-field';
import { PasswordField } from '../../auth/password-field';

/** The form by which an admin confirms himself again. */
export class ConfirmDto {
  @PasswordField()
  readonly password: string;

  @AnyCodeField()
  readonly code: string;
}
