import { Body, Controller, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { ApiPage, type Page, PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../../../platform/http/responses/resource-headers';
import { Post } from '../../../platform/idempotency/post';
import { ReasonDto, RunTaskDto } from '../reason.dto';
import { TaskAlertListDto, TaskDto, TaskListDto, TaskRunDto } from './tasks.dto';
import { AdminTasksService, TaskAlertsService } from './admin-tasks.service';

const TASK_ID = { name: 'id', type: String, description: 'The task.', example: 'refresh-job-stats' } as const;

/** The scheduled tasks; each act and each reading is a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/tasks', version: '1' })
export class AdminTasksController {
  constructor(
    private readonly tasks: AdminTasksService,
    private readonly taskAlerts: TaskAlertsService,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listTasks',
    summary: 'List the scheduled tasks',
    description: 'With the next firing, the latest run and the usual duration of each.',
  })
  @ApiOkResponse({ type: TaskListDto, description: 'The tasks.' })
  async list(): Promise<TaskListDto> {
    return { items: await this.tasks.list() };
  }

  @Get('alerts')
  @ApiOperation({
    operationId: 'listTaskAlerts',
    summary: 'List what is wrong with the tasks',
    description: 'Missed, overlong and failed runs; an alert ends when its task is well again.',
  })
  @ApiOkResponse({ type: TaskAlertListDto, description: 'The alerts that stand.' })
  async alerts(): Promise<TaskAlertListDto> {
    return { items: await this.taskAlerts.list() };
  }

  @Post(':id/run')
  @HttpCode(202)
  @LocationAt('/v1/admin/tasks/:id/runs')
  @ApiOperation({
    operationId: 'runTask',
    summary: 'Run a task now',
    description: 'Also a paused one. Look for the run in GET /v1/admin/tasks/{id}/runs.',
  })
  @ApiParam(TASK_ID)
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  run(@Param('id') id: string, @Body() { reason }: RunTaskDto): Promise<TaskRunDto> {
    return this.tasks.run(id, reason);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'pauseTask',
    summary: 'Pause a schedule',
    description: 'What runs goes on; runs that an admin asks for are made.',
  })
  @ApiParam(TASK_ID)
  @ApiOkResponse({ type: TaskDto, description: 'The task.' })
  pause(@Param('id') id: string, @Body() { reason }: ReasonDto): Promise<TaskDto> {
    return this.tasks.pause(id, reason);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resumeTask',
    summary: 'Resume a schedule',
    description: 'Firings it missed are not made up for.',
  })
  @ApiParam(TASK_ID)
  @ApiOkResponse({ type: TaskDto, description: 'The task.' })
  resume(@Param('id') id: string, @Body() { reason }: ReasonDto): Promise<TaskDto> {
    return this.tasks.resume(id, reason);
  }

  @Get(':id/runs')
  @ApiOperation({
    operationId: 'listTaskRuns',
    summary: 'List the runs of a task',
    description: 'Newest first; kept for 90 days.',
  })
  @ApiParam(TASK_ID)
  @ApiPage(TaskRunDto)
  runs(@Param('id') id: string, @Query() query: PageQueryDto): Promise<Page<TaskRunDto>> {
    return this.tasks.listRuns(id, query);
  }

  @Post('runs/:runId/retry')
  @HttpCode(202)
  @LocationAt('/v1/admin/tasks')
  @ApiOperation({
    operationId: 'retryTaskRun',
    summary: 'Retry a failed run',
    description:
      'Also one that failed in part. The task runs again and takes what is due then; the failed run stays in the history.',
  })
  @ApiParam({ name: 'runId', type: 'integer', description: 'The failed run.', example: 501 })
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  retry(@Param('runId', ParseIdPipe) runId: number, @Body() { reason }: ReasonDto): Promise<TaskRunDto> {
    return this.tasks.retry(runId, reason);
  }
}
