import { IsOptional } from 'class-validator';
import { AnyCodeField } from '../../auth/mfa/totp-code-field';
import { PasswordField } from '../../auth/password-field';
import { UnsetWhenEmpty } from './act-form.dto';

/** The form by which admins confirm who they are; the code where they have a second factor. */
export class ConfirmDto {
  @PasswordField()
  readonly password: string;

  @UnsetWhenEmpty()
  @IsOptional()
  @AnyCodeField()
  readonly code?: string;
}
