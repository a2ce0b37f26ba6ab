import { ApiPropertyOptional } from '@nestjs/swagger';
import { OptionalField } from '../../platform/http/fields';
import { DayField } from './day-field';

/** Days (UTC), both included; at most 400. */
export class DayRangeDto {
  @ApiPropertyOptional({ type: String, format: 'date', description: 'The first day.', example: '2026-01-01' })
  @OptionalField()
  @DayField()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date',
    description: 'The last day; today unless you say.',
    example: '2026-01-31',
  })
  @OptionalField()
  @DayField()
  to?: string;
}
