import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
import { OptionalField } from '../../platform/http/fields';

/** What Upwork adds to the callback URL. */
export class CallbackDto {
  @ApiProperty({ type: String, maxLength: 200, description: 'The state of the authorization.', example: 'kq3G…' })
  @IsString()
  @TextLength(1, 200)
  state: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 2_000,
    description: 'The code, when the user allowed it.',
    example: 'a1b2c3',
  })
  @OptionalField()
  @IsString()
  @TextLength(1, 2_000)
  code?: string;

  @ApiPropertyOptional({ type: String, maxLength: 200, description: 'Why there is no code.', example: 'access_denied' })
  @OptionalField()
  @IsString()
  @TextLength(1, 200)
  error?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 2_000,
    description: 'The same in words.',
    example: 'The user said no',
  })
  @OptionalField()
  @IsString()
  @TextLength(1, 2_000)
  error_description?: string;
}
