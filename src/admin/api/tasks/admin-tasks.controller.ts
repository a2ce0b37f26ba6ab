import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { ApiPage, type Page, PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../../../platform/http/responses/preconditions';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor';
import { ReasonDto, RunTaskDto } from '../reason.dto';
import { TaskAlertListDto, TaskDto, TaskListDto, TaskRunDto } from './tasks.dto';
import { AdminTasksService, TaskAlertsService } from './admin-tasks.service';

const TASK_ID = { name: 'id', type: String, description: 'Id of the task.', example: 'refresh-job-stats' } as const;

/** Routes for scheduled tasks; every request is a security event. */
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
    summary: 'List scheduled tasks',
    description: 'Every task with its schedule, next run, latest run and usual duration. The list has no pages.',
  })
  @ApiOkResponse({ type: TaskListDto, description: 'The tasks.' })
  async list(): Promise<TaskListDto> {
    return { items: await this.tasks.list() };
  }

  @Get('alerts')
  @ApiOperation({
    operationId: 'listTaskAlerts',
    summary: 'List task alerts',
    description: 'Open alerts about missed, overlong and failed runs. An alert closes when its task works again.',
  })
  @ApiOkResponse({ type: TaskAlertListDto, description: 'The open alerts.' })
  async alerts(): Promise<TaskAlertListDto> {
    return { items: await this.taskAlerts.list() };
  }

  @Post(':id/run')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/admin/tasks/:id/runs')
  @ApiOperation({
    operationId: 'runTask',
    summary: 'Run a task now',
    description: 'Queues a run, also of a paused task. Find the run with GET /v1/admin/tasks/{id}/runs.',
  })
  @ApiParam(TASK_ID)
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  run(@Param('id') id: string, @Body() { reason }: RunTaskDto): Promise<TaskRunDto> {
    return this.tasks.run(id, reason);
  }

  @Post(':id/pause')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'pauseTask',
    summary: 'Pause a task',
    description:
      'Stops scheduled runs until the task is resumed. A current run continues; manual runs remain possible.',
  })
  @ApiParam(TASK_ID)
  @ApiOkResponse({ type: TaskDto, description: 'The task with its new state.' })
  pause(@Param('id') id: string, @Body() { reason }: ReasonDto): Promise<TaskDto> {
    return this.tasks.pause(id, reason);
  }

  @Post(':id/resume')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resumeTask',
    summary: 'Resume a task',
    description: 'Restarts the schedule. Missed runs are not repeated.',
  })
  @ApiParam(TASK_ID)
  @ApiOkResponse({ type: TaskDto, description: 'The task with its new state.' })
  resume(@Param('id') id: string, @Body() { reason }: ReasonDto): Promise<TaskDto> {
    return this.tasks.resume(id, reason);
  }

  @Get(':id/runs')
  @ApiOperation({
    operationId: 'listTaskRuns',
    summary: 'List runs of a task',
    description: 'Newest first. Runs are kept for 90 days.',
  })
  @ApiParam(TASK_ID)
  @ApiPage(TaskRunDto)
  runs(@Param('id') id: string, @Query() query: PageQueryDto): Promise<Page<TaskRunDto>> {
    return this.tasks.listRuns(id, query);
  }

  @Post('runs/:runId/retry')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/admin/tasks')
  @ApiOperation({
    operationId: 'retryTaskRun',
    summary: 'Retry a failed run',
    description:
      'Queues a new run of the task, which processes what is due then. Accepts runs that failed, timed out or failed ' +
      'in part; answers 409 for others. The failed run stays in the history.',
  })
  @ApiParam({ name: 'runId', type: 'integer', description: 'Id of the failed run.', example: 501 })
  @ApiAcceptedResponse({ type: TaskRunDto, description: 'The queued run.' })
  retry(@Param('runId', ParseIdPipe) runId: number, @Body() { reason }: ReasonDto): Promise<TaskRunDto> {
    return this.tasks.retry(runId, reason);
  }
}
