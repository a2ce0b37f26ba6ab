import { ApiProperty } from '@nestjs/swagger';

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
