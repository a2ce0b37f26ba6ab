import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import { ListParam } from '../../platform/http/fields';
import { DayRangeDto } from './day-range.dto';

/** Query of GET /v1/analytics/metrics; the last 30 days unless it says which. */
export class ListMetricsDto extends DayRangeDto {
  @ApiPropertyOptional({
    type: [String],
    description: 'These metrics only; without it those that are counted and those of yours in the range.',
    example: ['jobs_seen', 'wins'],
  })
  @ListParam()
  @IsString({ each: true })
  @Length(1, 100, { each: true })
  metric?: string[];
}
