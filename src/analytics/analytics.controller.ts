import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access';
import { AnalyticsService } from './analytics.service';
import { JobStatsDto } from './dto/job-stats.dto';

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
}
