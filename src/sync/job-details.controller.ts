import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { JobDetailsDto, JobQuestionsDto } from '../jobs/job-details.dto';
import { SignedIn } from '../platform/http/access/access';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { NotIdempotent } from '../platform/idempotency/idempotency.interceptor';
import { JobDetailsService } from './job-details.service';

/** Routes for the full postings of the signed-in user's jobs. */
@ApiTags('Jobs')
@SignedIn()
@Controller({ path: 'jobs', version: '1' })
export class JobDetailsController {
  constructor(private readonly details: JobDetailsService) {}

  @Post(':id/refresh')
  @NotIdempotent('no transaction may wait for Upwork; a repeated request reads the posting again')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'refreshJob',
    summary: 'Refresh a job from Upwork',
    description:
      'Reads the full posting: text, kind of pay, screening questions, activity, and whether it is closed. ' +
      'Allowed ten times in a minute.',
  })
  @ApiOkResponse({ type: JobDetailsDto, description: 'The details of the job.' })
  refresh(@Param('id', ParseIdPipe) id: number): Promise<JobDetailsDto> {
    return this.details.refresh(id);
  }

  @Get(':id/questions')
  @ApiOperation({
    operationId: 'listJobQuestions',
    summary: 'List the screening questions of a job',
    description: 'Returns the questions of the latest refresh. Drafts by AI answer them.',
  })
  @ApiOkResponse({ type: JobQuestionsDto, description: 'The questions.' })
  listQuestions(@Param('id', ParseIdPipe) id: number): Promise<JobQuestionsDto> {
    return this.details.listQuestions(id);
  }
}
