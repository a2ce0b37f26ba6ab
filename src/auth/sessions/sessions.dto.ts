import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../platform/http/openapi/dto-fields';
import { TextField } from '../../platform/http/validation/fields';
import { Sensitive } from '../../platform/logging/sensitive-fields';

/** The tokens of a session. */
export class TokenPairDto {
  @ApiProperty({
    description: 'Token for `Authorization: Bearer …`. A JWT: `sub` is the user, `sid` the session.',
    example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl',
  })
  @Sensitive()
  readonly accessToken: string;

  @ApiProperty({
    description: 'Token for POST /v1/auth/refresh. Can be used once; keep it secret.',
    example: 'nJb2mE0iX8s1u3aQd5wV7g.Qk9…',
  })
  @Sensitive()
  readonly refreshToken: string;

  @ApiProperty({ description: 'Lifetime of the access token in seconds.', example: 900 })
  readonly expiresIn: number;
}

const MAX_LENGTH = 200;
const EXAMPLE = 'nJb2mE0iX8s1u3aQd5wV7g.Qk9…';

/** The refresh token of a session. */
export class RefreshDto {
  @TextField({ max: MAX_LENGTH, trim: false, description: 'Latest refresh token of the session.', example: EXAMPLE })
  @Sensitive()
  readonly refreshToken: string;
}

/** Options of signing out. */
export class LogoutDto {
  @TextField({
    max: MAX_LENGTH,
    trim: false,
    optional: true,
    description: 'Refresh token of another session to end. The session of the access token always ends.',
    example: EXAMPLE,
  })
  @Sensitive()
  readonly refreshToken?: string;
}

/** A live session of the user. */
export class SessionDto {
  @ApiProperty({ description: 'Id of the session.', example: 'nJb2mE0iX8s1u3aQd5wV7g' })
  readonly id: string;

  @ApiProperty({
    description: 'User agent of the sign-in.',
    type: String,
    nullable: true,
    example: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  })
  readonly device: string | null;

  @ApiProperty({ description: 'Client address of the sign-in.', type: String, nullable: true, example: '192.0.2.7' })
  readonly ip: string | null;

  @ApiInstant({
    description: 'When the session started (UTC).',
  })
  readonly createdAt: Date;

  @ApiInstant({
    description: 'When the session was last used (UTC), to the minute.',
  })
  readonly lastSeenAt: Date;

  @ApiProperty({ description: 'True for the session of this request.', example: true })
  readonly current: boolean;
}

/** The live sessions of the user. */
export class SessionsDto {
  @ApiProperty({ type: [SessionDto], description: 'Sessions, most recently used first.' })
  readonly items: SessionDto[];
}
