import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
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
  @TextLength(1, 100, { each: true })
  metric?: string[];
}
