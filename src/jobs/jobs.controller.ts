import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ChangeDto } from '../audit/logs/audit-logs.dto';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Post } from '../platform/idempotency/post';
import { CreateJobDto, JobDto, UpdateJobDto } from './jobs.dto';
import { ListJobsDto } from './list-jobs.dto';
import { JobsService } from './jobs.service';

/** Routes of the tenant's jobs. */
@ApiTags('Jobs')
@SignedIn()
@Controller({ path: 'jobs', version: '1' })
export class JobsController {
  constructor(private readonly jobs: JobsService) {}

  @Post()
  @ApiOperation({
    operationId: 'createJob',
    summary: 'Store a job',
    description:
      'Each Upwork id is stored once. Without one, jobs are the same when all their fields are equal, status and favourite aside; 409 `job.already_exists` also when the one that exists is deleted (`PATCH {"status": "active"}` brings it back).',
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
      'Filters narrow the list together; money filters take jobs whose range overlaps. Deleted jobs only with `status=deleted`.',
  })
  @ApiPage(JobDto)
  list(@Query() query: ListJobsDto): Promise<Page<JobDto>> {
    return this.jobs.list(query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getJob', summary: 'Read a job', description: 'Deleted jobs are read too.' })
  @ApiOkResponse({ type: JobDto, description: 'The job.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<JobDto> {
    return this.jobs.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateJob',
    summary: 'Change a job',
    description:
      'A JSON merge patch. Mark favourites by `isFavorite`, archive and bring back by `status`. Without a change the version stays.',
  })
  @ApiOkResponse({ type: JobDto, description: 'The job as it now is.' })
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
    description: 'Sets its status to deleted; lists leave it out.',
  })
  @ApiNoContentResponse({ description: 'The job is deleted.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.jobs.remove(id, ifMatch);
  }

  @Get(':id/history')
  @ApiOperation({
    operationId: 'getJobHistory',
    summary: 'List the changes of a job',
    description: 'Newest first: who changed which fields, and when.',
  })
  @ApiPage(ChangeDto)
  history(@Param('id', ParseIdPipe) id: number, @Query() query: PageQueryDto): Promise<Page<ChangeDto>> {
    return this.jobs.history(id, query);
  }
}
