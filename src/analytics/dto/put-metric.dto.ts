import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { NullableField } from '../../platform/http/fields';
import { TextField } from '../../platform/http/text-field';
import { JsonObjectField } from '../../platform/http/json-object-field';
import { DayField } from './day-field';

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
