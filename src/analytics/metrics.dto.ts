import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { DayField, Field, TextField } from '../platform/http/validation/fields';
import { JsonObjectField } from '../platform/http/validation/json-object-field';
import { TextListParam } from '../platform/http/validation/query-params';
import { DayRangeDto } from './analytics.dto';
import { METRIC_VALUE_PATTERN } from './record-daily-metrics.task';

/** Query of GET /v1/analytics/metrics. The default range is the last 30 days. */
export class ListMetricsDto extends DayRangeDto {
  @TextListParam({
    max: 100,
    description: 'Only these metrics; the default is the counted ones and yours with a value in the range.',
    example: ['jobs_seen', 'wins'],
  })
  metric?: string[];
}

/** The value of a metric on one day. */
class MetricPointDto {
  @ApiProperty({ type: String, format: 'date', description: 'Day of the value (UTC).', example: '2026-01-31' })
  date: string;

  @ApiProperty({
    type: String,
    nullable: true,
    pattern: METRIC_VALUE_PATTERN,
    description: 'Decimal string; 0.00 without a record, null for a record without a number.',
    example: '3.00',
  })
  value: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Additional data; `usd` is the exact sum of ai_cost_usd.',
    example: null,
  })
  data: Record<string, unknown> | null;

  @ApiProperty({ type: Boolean, description: 'True when a value is recorded for the day.', example: true })
  isRecorded: boolean;
}

/** The daily values of a metric, without gaps. */
export class MetricSeriesDto {
  @ApiProperty({ type: String, description: 'Name of the metric.', example: 'jobs_seen' })
  metric: string;

  @ApiProperty({ type: [MetricPointDto], description: 'One value per day.' })
  points: MetricPointDto[];
}

/** A stored value of a metric. */
export class MetricDto {
  @ApiProperty({ type: String, description: 'Name of the metric.', example: 'profile_views' })
  metric: string;

  @ApiProperty({ type: String, format: 'date', description: 'Day of the value (UTC).', example: '2026-01-31' })
  date: string;

  @ApiProperty({
    type: String,
    nullable: true,
    pattern: METRIC_VALUE_PATTERN,
    description: 'Decimal string with two places.',
    example: '12.00',
  })
  value: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Additional data, any JSON object.',
    example: null,
  })
  data: Record<string, unknown> | null;
}

/** Metrics of a range of days. */
export class MetricsDto {
  @ApiProperty({ type: String, format: 'date', description: 'First day (UTC).', example: '2026-01-01' })
  from: string;

  @ApiProperty({ type: String, format: 'date', description: 'Last day (UTC).', example: '2026-01-31' })
  to: string;

  @ApiProperty({ type: [MetricSeriesDto], description: 'The metrics, sorted by name.' })
  items: MetricSeriesDto[];
}

/** The range of numeric(15,2). */
const VALUE = /^-?\d{1,13}(\.\d{1,2})?$/;

/** Body of PUT /v1/analytics/metrics. It replaces the value of the day. */
export class PutMetricDto {
  @TextField({
    max: 100,
    description: 'Name of the metric. The counted metrics cannot be written.',
    example: 'profile_views',
  })
  metric: string;

  @DayField({ description: 'Day of the value.', example: '2026-01-31' })
  date: string;

  @Field(
    { type: String, pattern: VALUE.source },
    { nullable: true, description: 'Decimal string with at most two places.', example: '12.00' },
    Matches(VALUE, {
      message: '$property must be a decimal string with at most 13 digits before and two after the point',
    }),
  )
  value?: string | null;

  @JsonObjectField({
    maxBytes: 65_536,
    maxDepth: 10,
    nullable: true,
    description: 'Additional data, any JSON object.',
    example: { source: 'upwork' },
  })
  data?: Record<string, unknown> | null;
}
