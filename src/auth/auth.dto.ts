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

/** Whose account it is about. */
export class EmailDto {
  @EmailField()
  readonly email: string;
}

/** Somebody who signs in. */
export class LoginDto {
  @EmailField()
  readonly email: string;

  @ApiProperty({ description: 'The password.', maxLength: MAX_PASSWORD_LENGTH, example: 'seven green umbrellas' })
  @PasswordField()
  readonly password: string;
}

/** A person who signs up. */
export class RegisterDto {
  @EmailField()
  readonly email: string;

  @ApiProperty({
    description: '8 to 128 characters, any of them; 15 or more are advised.',
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

/** The token of a mailed link. */
export class OneTimeTokenDto {
  @ApiProperty({
    description: 'What follows ?token= in the mailed link.',
    maxLength: 200,
    example: 'q1Yw3Jc0pRt5vXz8bNfKd2sGhLmA7uEoTiCyPjZrV94',
  })
  @IsString()
  @TextLength(1, 200)
  readonly token: string;
}

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
