import { ApiProperty } from '@nestjs/swagger';

/** An authorization that waits for its user. */
export class AuthorizationDto {
  @ApiProperty({
    type: String,
    description: 'Where the user allows the connection.',
    example: 'https://www.upwork.com/ab/account-security/oauth2/authorize?client_id=…',
  })
  url: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'Until when the callback is taken.',
    example: '2026-01-31T09:40:00.000Z',
  })
  expiresAt: Date;
}
