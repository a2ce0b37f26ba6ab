import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access';
import { AnalyticsService } from './analytics.service';
import { DayRangeDto } from './dto/day-range.dto';
import { JobStatsDto } from './dto/job-stats.dto';
import { ListMetricsDto } from './dto/list-metrics.dto';
import { MetricDto } from './dto/metric.dto';
import { MetricsDto } from './dto/metrics.dto';
import { PutMetricDto } from './dto/put-metric.dto';
import { SummaryDto } from './dto/summary.dto';

/** The signed-in user's numbers. */
@ApiTags('Analytics')
@SignedIn()
@Controller({ path: 'analytics', version: '1' })
export class AnalyticsController {
  constructor(private readonly analytics: AnalyticsService) {}

  @Get('job-stats')
  @ApiOperation({
    summary: 'Read statistics of your jobs',
    description: 'As of `refreshedAt`: a scheduled task refreshes them. Zeros while there are no jobs.',
  })
  @ApiOkResponse({ type: JobStatsDto, description: 'The numbers.' })
  jobStats(): Promise<JobStatsDto> {
    return this.analytics.jobStats();
  }

  @Get('metrics')
  @ApiOperation({
    summary: 'Read your metrics by day',
    description:
      'Days of UTC, without gaps. `jobs_seen`, `proposals_sent`, `answers`, `wins` and `ai_cost_usd` are counted by a scheduled task several times a day; the others are yours.',
  })
  @ApiOkResponse({ type: MetricsDto, description: 'The series.' })
  metrics(@Query() query: ListMetricsDto): Promise<MetricsDto> {
    return this.analytics.metrics(query);
  }

  @Put('metrics')
  @ApiOperation({
    summary: 'Write a metric of your own',
    description: 'One value a day; a second one replaces the first.',
  })
  @ApiOkResponse({ type: MetricDto, description: 'The value as it is stored.' })
  putMetric(@Body() dto: PutMetricDto): Promise<MetricDto> {
    return this.analytics.putMetric(dto);
  }

  @Get('summary')
  @ApiOperation({
    summary: 'Win statistics',
    description:
      'Of the proposals sent in a range of days (by default the last 365) what became of them until now, and by kind.',
  })
  @ApiOkResponse({ type: SummaryDto, description: 'The figures, as of now.' })
  summary(@Query() days: DayRangeDto): Promise<SummaryDto> {
    return this.analytics.summary(days);
  }
}
