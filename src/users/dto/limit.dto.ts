import { ApiProperty } from '@nestjs/swagger';

/** One limit and what was used of it. */
export class LimitDto {
  @ApiProperty({ description: 'What is limited.', example: 'requests' })
  readonly name: string;

  @ApiProperty({ description: 'How many, in one window; of sizes: bytes.', example: 600 })
  readonly limit: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How many were used in this window; null of sizes.',
    example: 12,
  })
  readonly used: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Length of the window in seconds; null of sizes.',
    example: 60,
  })
  readonly windowSeconds: number | null;
}

/** The limits of the signed-in user. */
export class LimitsDto {
  @ApiProperty({ type: [LimitDto], description: 'A limit that is switched off is left out.' })
  readonly items: LimitDto[];
}
