import {
  AnyCodeField,
  EmailField,
  MAX_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH,
  NewPasswordField,
  PasswordField,
} from './accounts/credential-fields';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { NullableTextField, TextLength } from '../platform/http/validation/text';
import { IsString } from 'class-validator';
import { OptionalField } from '../platform/http/validation/fields';
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

  @ApiProperty({
    description: 'Password of the account.',
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'seven green umbrellas',
  })
  @PasswordField()
  readonly password: string;
}

/** The data of a sign-up. */
export class RegisterDto {
  @EmailField()
  readonly email: string;

  @ApiProperty({
    description: 'New password: any 8 to 128 characters; 15 or more are advised.',
    minLength: MIN_PASSWORD_LENGTH,
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'seven green umbrellas',
  })
  @NewPasswordField()
  readonly password: string;

  @ApiPropertyOptional({ description: 'First name.', type: String, nullable: true, maxLength: 100, example: 'Ann' })
  @NullableTextField(100)
  readonly firstName?: string | null;

  @ApiPropertyOptional({ description: 'Last name.', type: String, nullable: true, maxLength: 100, example: 'Other' })
  @NullableTextField(100)
  readonly lastName?: string | null;
}

/** The token of an emailed link. */
export class OneTimeTokenDto {
  @ApiProperty({
    description: 'Token of the emailed link: the value of ?token=.',
    maxLength: 200,
    example: 'q1Yw3Jc0pRt5vXz8bNfKd2sGhLmA7uEoTiCyPjZrV94',
  })
  @IsString()
  @TextLength(1, 200)
  @Sensitive()
  readonly token: string;
}

/** The token of a reset link and the new password. */
export class ResetPasswordDto extends OneTimeTokenDto {
  @ApiProperty({
    description: 'New password: any 8 to 128 characters; 15 or more are advised.',
    minLength: MIN_PASSWORD_LENGTH,
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'eight blue bicycles',
  })
  @NewPasswordField()
  readonly password: string;
}

/** A change of the password. */
export class ChangePasswordDto {
  @ApiProperty({
    description: 'Current password.',
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'seven green umbrellas',
  })
  @PasswordField()
  readonly currentPassword: string;

  @ApiProperty({
    description: 'New password: any 8 to 128 characters; 15 or more are advised.',
    minLength: MIN_PASSWORD_LENGTH,
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'eight blue bicycles',
  })
  @NewPasswordField()
  readonly newPassword: string;
}

/** The credentials of a re-authentication. */
export class StepUpDto {
  @ApiProperty({
    description: 'Password of the account.',
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'seven green umbrellas',
  })
  @PasswordField()
  readonly password: string;

  @ApiPropertyOptional({
    description: 'Code of the authenticator or backup code. Required when two-factor sign-in is on.',
    maxLength: 64,
    example: '287082',
  })
  @OptionalField()
  @AnyCodeField()
  readonly code?: string;
}
