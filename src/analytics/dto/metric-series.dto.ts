import { ApiProperty } from '@nestjs/swagger';
import { MetricPointDto } from './metric-point.dto';

/** A metric, day by day without gaps. */
export class MetricSeriesDto {
  @ApiProperty({ type: String, description: 'Its name.', example: 'jobs_seen' })
  metric: string;

  @ApiProperty({ type: [MetricPointDto], description: 'One for each day.' })
  points: MetricPointDto[];
}
