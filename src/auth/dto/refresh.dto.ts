import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
import { OptionalField } from '../../platform/http/fields';

const MAX_LENGTH = 200;
const EXAMPLE = 'nJb2mE0iX8s1u3aQd5wV7g.Qk9…';

/** The refresh token of a session. */
export class RefreshDto {
  @ApiProperty({ description: 'The latest refresh token of the session.', maxLength: MAX_LENGTH, example: EXAMPLE })
  @IsString()
  @TextLength(1, MAX_LENGTH)
  readonly refreshToken: string;
}

/** What may be said at signing out. */
export class LogoutDto {
  @ApiPropertyOptional({
    description: 'A refresh token whose session shall end too; the session of the access token ends in any case.',
    maxLength: MAX_LENGTH,
    example: EXAMPLE,
  })
  @OptionalField()
  @IsString()
  @TextLength(1, MAX_LENGTH)
  readonly refreshToken?: string;
}
