import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Matches } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
import { Instant } from '../../platform/http/fields';
import { HEADER_TOKEN } from '../../platform/http/header-token';
import { NullableTextField } from '../../platform/http/text-field';
import { PROVIDERS, type Provider } from '../token-values';

const MAX_TOKEN = 8_000;
const FITS_A_HEADER = '$property must be printable ASCII without spaces';

/** Body of POST /v1/tokens: a pair obtained elsewhere. */
export class CreateTokenDto {
  @ApiProperty({ type: String, enum: PROVIDERS, description: 'The provider.', example: 'upwork' })
  @IsIn(PROVIDERS)
  provider: Provider;

  @ApiProperty({
    type: String,
    maxLength: MAX_TOKEN,
    writeOnly: true,
    description: 'The access token; never shown again.',
    example: 'oauth2v2_3f8a',
  })
  @IsString()
  @TextLength(1, MAX_TOKEN)
  @Matches(HEADER_TOKEN, { message: FITS_A_HEADER })
  accessToken: string;

  @ApiProperty({
    type: String,
    maxLength: MAX_TOKEN,
    writeOnly: true,
    description: 'The refresh token; never shown again.',
    example: 'oauth2v2_9c1d',
  })
  @IsString()
  @TextLength(1, MAX_TOKEN)
  @Matches(HEADER_TOKEN, { message: FITS_A_HEADER })
  refreshToken: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the access token expires.',
    example: '2099-01-31T09:30:00.000Z',
  })
  @Instant()
  expiresAt: Date;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    description: "The provider's id of the organization it acts for.",
    example: '1234567890',
  })
  @NullableTextField(100)
  @Matches(HEADER_TOKEN, { message: FITS_A_HEADER })
  organizationId?: string | null;
}
