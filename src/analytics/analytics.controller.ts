import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { AnalyticsService } from './analytics.service';
import { DayRangeDto, JobStatsDto, SummaryDto } from './analytics.dto';
import { ListMetricsDto, MetricDto, MetricsDto, PutMetricDto } from './metrics.dto';

/** The signed-in user's numbers. */
@ApiTags('Analytics')
@SignedIn()
@Controller({ path: 'analytics', version: '1' })
export class AnalyticsController {
  constructor(private readonly analytics: AnalyticsService) {}

  @Get('job-stats')
  @ApiOperation({
    operationId: 'getJobStats',
    summary: 'Read statistics of your jobs',
    description: 'As of `refreshedAt`: a scheduled task refreshes them. Zeros while there are no jobs.',
  })
  @ApiOkResponse({ type: JobStatsDto, description: 'The numbers.' })
  jobStats(): Promise<JobStatsDto> {
    return this.analytics.jobStats();
  }

  @Get('metrics')
  @ApiOperation({
    operationId: 'listMetrics',
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
    operationId: 'putMetric',
    summary: 'Write a metric of your own',
    description: 'One value a day; a second one replaces the first.',
  })
  @ApiOkResponse({ type: MetricDto, description: 'The value as it is stored.' })
  putMetric(@Body() dto: PutMetricDto): Promise<MetricDto> {
    return this.analytics.putMetric(dto);
  }

  @Get('summary')
  @ApiOperation({
    operationId: 'getSummary',
    summary: 'Win statistics',
    description:
      'Of the proposals sent in a range of days (by default the last 365) what became of them until now, and by kind.',
  })
  @ApiOkResponse({ type: SummaryDto, description: 'The figures, as of now.' })
  summary(@Query() days: DayRangeDto): Promise<SummaryDto> {
    return this.analytics.summary(days);
  }
}
