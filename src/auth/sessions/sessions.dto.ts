import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/validation/text';
import { OptionalField } from '../../platform/http/validation/fields';

/** What a client works with while it is signed in. */
export class TokenPairDto {
  @ApiProperty({
    description: 'Send it as `Authorization: Bearer …`. A JWT: `sub` is the user, `sid` the session.',
    example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl',
  })
  readonly accessToken: string;

  @ApiProperty({
    description: 'Good once, for POST /v1/auth/refresh; keep it secret.',
    example: 'nJb2mE0iX8s1u3aQd5wV7g.Qk9…',
  })
  readonly refreshToken: string;

  @ApiProperty({ description: 'Lifetime of the access token in seconds.', example: 900 })
  readonly expiresIn: number;
}

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

/** A place where one is signed in. */
export class SessionDto {
  @ApiProperty({ description: 'Id of the session.', example: 'nJb2mE0iX8s1u3aQd5wV7g' })
  readonly id: string;

  @ApiProperty({
    description: 'User agent it began with.',
    type: String,
    nullable: true,
    example: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  })
  readonly device: string | null;

  @ApiProperty({ description: 'Address it began from.', type: String, nullable: true, example: '192.0.2.7' })
  readonly ip: string | null;

  @ApiProperty({ description: 'When it began.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  readonly createdAt: Date;

  @ApiProperty({
    description: 'When it was last used, to the minute.',
    format: 'date-time',
    example: '2026-01-31T09:30:00.000Z',
  })
  readonly lastSeenAt: Date;

  @ApiProperty({ description: 'Whether it is the session of this request.', example: true })
  readonly current: boolean;
}

/** Everywhere one is signed in. */
export class SessionsDto {
  @ApiProperty({ type: [SessionDto], description: 'Most recently used first.' })
  readonly items: SessionDto[];
}
