import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { TextField, TextLength } from '../platform/http/validation/text';
import { ListParam, NullableField } from '../platform/http/validation/fields';
import { DayField, DayRangeDto } from './analytics.dto';
import { METRIC_VALUE_PATTERN } from './record-daily-metrics.task';
import { JsonObjectField } from '../platform/http/validation/json-object-field';

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

/** A metric, day by day without gaps. */
export class MetricSeriesDto {
  @ApiProperty({ type: String, description: 'Its name.', example: 'jobs_seen' })
  metric: string;

  @ApiProperty({ type: [MetricPointDto], description: 'One for each day.' })
  points: MetricPointDto[];
}

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

/** Metrics of a range of days. */
export class MetricsDto {
  @ApiProperty({ type: String, format: 'date', description: 'The first day.', example: '2026-01-01' })
  from: string;

  @ApiProperty({ type: String, format: 'date', description: 'The last day.', example: '2026-01-31' })
  to: string;

  @ApiProperty({ type: [MetricSeriesDto], description: 'By name.' })
  items: MetricSeriesDto[];
}

/** What numeric(15,2) holds. */
const VALUE = /^-?\d{1,13}(\.\d{1,2})?$/;

/** One value of a metric of your own; it replaces the one of that day. */
export class PutMetricDto {
  @ApiProperty({
    type: String,
    maxLength: 100,
    description: 'Its name; those that are counted for you are refused.',
    example: 'profile_views',
  })
  @TextField(100)
  metric: string;

  @ApiProperty({ type: String, format: 'date', description: 'The day.', example: '2026-01-31' })
  @DayField()
  date: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    pattern: VALUE.source,
    description: 'A decimal string with at most two places.',
    example: '12.00',
  })
  @NullableField()
  @Matches(VALUE, {
    message: '$property must be a decimal string with at most 13 digits before and two behind the point',
  })
  value?: string | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What else belongs to it.',
    example: { source: 'upwork' },
  })
  @NullableField()
  @JsonObjectField(65_536, 10)
  data?: Record<string, unknown> | null;
}
