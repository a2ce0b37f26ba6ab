import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { NullableTextField } from '../../platform/http/text-field';
import { EmailField } from '../email-field';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, NewPasswordField } from '../password-field';

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
