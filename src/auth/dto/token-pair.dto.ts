import { ApiProperty } from '@nestjs/swagger';

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
