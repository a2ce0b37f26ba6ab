import { ApiProperty } from '@nestjs/swagger';
import { MetricSeriesDto } from './metric-series.dto';

/** Metrics of a range of days. */
export class MetricsDto {
  @ApiProperty({ type: String, format: 'date', description: 'The first day.', example: '2026-01-01' })
  from: string;

  @ApiProperty({ type: String, format: 'date', description: 'The last day.', example: '2026-01-31' })
  to: string;

  @ApiProperty({ type: [MetricSeriesDto], description: 'By name.' })
  items: MetricSeriesDto[];
}
