import { ApiProperty } from '@nestjs/swagger';
import { METRIC_VALUE_PATTERN } from '../metric-names';

/** One value of a metric. */
export class MetricDto {
  @ApiProperty({ type: String, description: 'Its name.', example: 'profile_views' })
  metric: string;

  @ApiProperty({ type: String, format: 'date', description: 'The day (UTC).', example: '2026-01-31' })
  date: string;

  @ApiProperty({
    type: String,
    nullable: true,
    pattern: METRIC_VALUE_PATTERN,
    description: 'A decimal string with two places.',
    example: '12.00',
  })
  value: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What else belongs to it.',
    example: null,
  })
  data: Record<string, unknown> | null;
}
