import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';

/** What the jobs of a user come to. */
export class JobStatsDto {
  @ApiProperty({ type: 'integer', description: 'Jobs in every status, deleted ones too.', example: 120 })
  totalJobs: number;

  @ApiProperty({ type: 'integer', description: 'Those that are active.', example: 80 })
  activeJobs: number;

  @ApiProperty({ type: 'integer', description: 'Those that are favourites.', example: 12 })
  favoriteJobs: number;

  @ApiAmount({
    description:
      'The mean of budgetMax - budgetMin over jobs that have both, whatever their currency: amounts are not converted.',
    example: '350.00',
  })
  avgBudgetRange: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the newest job was stored.',
    example: '2026-01-31T09:30:00.000Z',
  })
  lastJobDate: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The instant these numbers are of; a task refreshes them.',
    example: '2026-01-31T09:35:00.000Z',
  })
  refreshedAt: Date | null;
}
