import { ApiProperty } from '@nestjs/swagger';
import { METRIC_VALUE_PATTERN } from '../metric-names';

/** A metric on one day. */
export class MetricPointDto {
  @ApiProperty({ type: String, format: 'date', description: 'The day (UTC).', example: '2026-01-31' })
  date: string;

  @ApiProperty({
    type: String,
    nullable: true,
    pattern: METRIC_VALUE_PATTERN,
    description: 'A decimal string; 0.00 where nothing is recorded, null where a value of yours has none.',
    example: '3.00',
  })
  value: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What else belongs to it; the exact sum of ai_cost_usd is its `usd`.',
    example: null,
  })
  data: Record<string, unknown> | null;

  @ApiProperty({ type: Boolean, description: 'Whether something is recorded for that day.', example: true })
  isRecorded: boolean;
}
