import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { AnalyticsService } from './analytics.service';
import { DayRangeDto, JobStatsDto, SummaryDto } from './analytics.dto';
import { ListMetricsDto, MetricDto, MetricsDto, PutMetricDto } from './metrics.dto';

/** Routes for the signed-in user's statistics. */
@ApiTags('Analytics')
@SignedIn()
@Controller({ path: 'analytics', version: '1' })
export class AnalyticsController {
  constructor(private readonly analytics: AnalyticsService) {}

  @Get('job-stats')
  @ApiOperation({
    operationId: 'getJobStats',
    summary: 'Get statistics of your jobs',
    description: 'Values at `refreshedAt`; a scheduled task refreshes them. Zeros without jobs.',
  })
  @ApiOkResponse({ type: JobStatsDto, description: 'The statistics.' })
  jobStats(): Promise<JobStatsDto> {
    return this.analytics.jobStats();
  }

  @Get('metrics')
  @ApiOperation({
    operationId: 'listMetrics',
    summary: 'List your metrics by day',
    description:
      'One value per day (UTC), without gaps. A scheduled task counts `jobs_seen`, `proposals_sent`, `answers`, ' +
      '`interviews`, `offers`, `wins` and `ai_cost_usd` several times a day, also those of earlier days; you write ' +
      'all others.',
  })
  @ApiOkResponse({ type: MetricsDto, description: 'The values of each metric.' })
  metrics(@Query() query: ListMetricsDto): Promise<MetricsDto> {
    return this.analytics.metrics(query);
  }

  @Put('metrics')
  @ApiOperation({
    operationId: 'putMetric',
    summary: 'Store a value of a metric',
    description: 'One value per metric and day; a second one replaces the first.',
  })
  @ApiOkResponse({ type: MetricDto, description: 'The stored value.' })
  putMetric(@Body() dto: PutMetricDto): Promise<MetricDto> {
    return this.analytics.putMetric(dto);
  }

  @Get('summary')
  @ApiOperation({
    operationId: 'getSummary',
    summary: 'Get win statistics',
    description:
      'Current outcomes of the proposals sent in a range of days (by default the last 365), in total and by group.',
  })
  @ApiOkResponse({ type: SummaryDto, description: 'The current statistics.' })
  summary(@Query() days: DayRangeDto): Promise<SummaryDto> {
    return this.analytics.summary(days);
  }
}
