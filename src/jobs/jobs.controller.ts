import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RestoreDto } from '../audit/history/record-version.dto';
import { ChangeDto } from '../audit/logs/audit-logs.dto';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import { CreateJobDto, JobDto, UpdateJobDto } from './jobs.dto';
import { ListJobsDto } from './jobs-list.dto';
import { JobsService } from './jobs.service';

/** Routes for the signed-in user's jobs. */
@ApiTags('Jobs')
@SignedIn()
@Controller({ path: 'jobs', version: '1' })
export class JobsController {
  constructor(private readonly jobs: JobsService) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createJob',
    summary: 'Create a job',
    description:
      'Each Upwork id is stored once. Jobs without one are the same when all fields except status and favourite are ' +
      'equal. A duplicate, also of a deleted job, is 409 `job.already_exists`. ' +
      '`PATCH {"status": "active"}` restores a deleted job.',
  })
  @ApiCreatedResponse({ type: JobDto, description: 'The job.' })
  create(@Body() dto: CreateJobDto): Promise<JobDto> {
    return this.jobs.create(dto);
  }

  @Get()
  @ApiOperation({
    operationId: 'listJobs',
    summary: 'List jobs',
    description:
      'Returns jobs that match all filters; money filters match overlapping ranges. ' +
      'Deleted jobs appear only with `status=deleted`.',
  })
  @ApiPage(JobDto)
  list(@Query() query: ListJobsDto): Promise<Page<JobDto>> {
    return this.jobs.list(query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getJob', summary: 'Get a job', description: 'Returns deleted jobs too.' })
  @ApiOkResponse({ type: JobDto, description: 'The job.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<JobDto> {
    return this.jobs.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateJob',
    summary: 'Update a job',
    description:
      'A JSON merge patch. `isFavorite` marks a favourite; `status` archives or restores the job. ' +
      'The version grows only when a value changes.',
  })
  @ApiOkResponse({ type: JobDto, description: 'The updated job.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() changes: UpdateJobDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<JobDto> {
    return this.jobs.update(id, changes, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteJob',
    summary: 'Delete a job',
    description: 'Sets the status to deleted. Lists omit deleted jobs by default.',
  })
  @ApiNoContentResponse({ description: 'The job was deleted.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.jobs.remove(id, ifMatch);
  }

  @Post(':id/restore')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'restoreJob',
    summary: 'Restore a version of a job',
    description:
      'The version after the audit entry `auditId` becomes a new change (GET /v1/audit/{table}/{recordId} lists ' +
      'entries). The same rules apply as to an update.',
  })
  @ApiOkResponse({ type: JobDto, description: 'The restored job.' })
  restore(
    @Param('id', ParseIdPipe) id: number,
    @Body() { auditId }: RestoreDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<JobDto> {
    return this.jobs.restore(id, auditId, ifMatch);
  }

  @Get(':id/history')
  @ApiOperation({
    operationId: 'getJobHistory',
    summary: 'Get the history of a job',
    description: 'Who changed which fields and when, newest first.',
  })
  @ApiPage(ChangeDto)
  history(@Param('id', ParseIdPipe) id: number, @Query() query: PageQueryDto): Promise<Page<ChangeDto>> {
    return this.jobs.history(id, query);
  }
}
