import { ApiProperty } from '@nestjs/swagger';
import { ViewStateDto } from './view-state.dto';

/** The database as a whole. */
export class DatabaseStateDto {
  @ApiProperty({ type: 'integer', description: 'Its size.', example: 16777216 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '16 MB' })
  size: string;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Pages found in shared_buffers since statisticsSince, of 100; null before the first page.',
    example: 99.4,
  })
  cacheHitPercent: number | null;

  @ApiProperty({ type: 'integer', description: 'Deadlocks since statisticsSince.', example: 0 })
  deadlocks: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When counting began; null when it never began anew.',
    example: '2026-01-01T00:00:00.000Z',
  })
  statisticsSince: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When PostgreSQL was started.',
    example: '2026-01-01T00:00:00.000Z',
  })
  startedAt: Date;

  @ApiProperty({ type: [ViewStateDto], description: 'Its materialized views.' })
  views: ViewStateDto[];
}
