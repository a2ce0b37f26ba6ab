import { AnyCodeField, EmailField, NewPasswordField, PasswordField } from './accounts/credential-fields';
import { TextField } from '../platform/http/validation/fields';
import { Sensitive } from '../platform/logging/sensitive-fields';

/** The address of an account. */
export class EmailDto {
  @EmailField()
  readonly email: string;
}

/** Address and password of a sign-in. */
export class LoginDto {
  @EmailField()
  readonly email: string;

  @PasswordField()
  readonly password: string;
}

/** The data of a sign-up. */
export class RegisterDto {
  @EmailField()
  readonly email: string;

  @NewPasswordField()
  readonly password: string;

  @TextField({ max: 100, nullable: true, description: 'First name.', example: 'Ann' })
  readonly firstName?: string | null;

  @TextField({ max: 100, nullable: true, description: 'Last name.', example: 'Other' })
  readonly lastName?: string | null;
}

/** The token of an emailed link. */
class OneTimeTokenDto {
  @TextField({
    max: 200,
    trim: false,
    description: 'Token of the emailed link: the value of ?token=.',
    example: 'q1Yw3Jc0pRt5vXz8bNfKd2sGhLmA7uEoTiCyPjZrV94',
  })
  @Sensitive()
  readonly token: string;
}

/** The token of a verification link and the password of the account. */
export class VerifyEmailDto extends OneTimeTokenDto {
  @NewPasswordField({ description: 'Password of the registration; with a resent link, the new password.' })
  readonly password: string;
}

/** The token of a reset link and the new password. */
export class ResetPasswordDto extends OneTimeTokenDto {
  @NewPasswordField({ example: 'eight blue bicycles' })
  readonly password: string;
}

/** A change of the password. */
export class ChangePasswordDto {
  @PasswordField({ description: 'Current password.' })
  readonly currentPassword: string;

  @NewPasswordField({ example: 'eight blue bicycles' })
  readonly newPassword: string;
}

/** The credentials of a re-authentication. */
export class StepUpDto {
  @PasswordField()
  readonly password: string;

  @AnyCodeField({
    optional: true,
    description: 'Code of the authenticator or backup code. Required when two-factor sign-in is on.',
  })
  readonly code?: string;
}
