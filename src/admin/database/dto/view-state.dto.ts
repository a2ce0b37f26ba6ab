import { ApiProperty } from '@nestjs/swagger';

/** How fresh a materialized view is. */
export class ViewStateDto {
  @ApiProperty({ type: String, description: 'Its name.', example: 'user_job_stats' })
  view: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'The instant its numbers are of.',
    example: '2026-01-31T09:30:00.000Z',
  })
  refreshedAt: Date;

  @ApiProperty({ type: Number, description: 'How long that is ago.', example: 12.5 })
  ageSeconds: number;

  @ApiProperty({ type: 'integer', description: 'How long its last refresh took.', example: 95 })
  durationMs: number;
}
