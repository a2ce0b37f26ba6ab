import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { ApiPage, type Page, PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../../../platform/http/responses/preconditions';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor';
import { AdminBackupsService } from './admin-backups.service';
import { BackupDto } from './backups.dto';
import { ReasonDto, RunTaskDto } from '../reason.dto';

/** Routes for backups; every request is a security event. No route returns a backup's content. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/backups', version: '1' })
export class AdminBackupsController {
  constructor(private readonly backups: AdminBackupsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listBackups',
    summary: 'List backups',
    description: 'Newest first. Includes backups whose files were removed, for 400 days.',
  })
  @ApiPage(BackupDto)
  list(@Query() query: PageQueryDto): Promise<Page<BackupDto>> {
    return this.backups.list(query);
  }

  @Post()
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/admin/backups')
  @ApiOperation({
    operationId: 'createBackup',
    summary: 'Create a backup',
    description:
      'Queues a backup for a worker. It becomes `verified` only after its encrypted file was restored and compared ' +
      'with the database. A backup that is already queued is returned instead of a second one. Needs ' +
      'POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiAcceptedResponse({ type: BackupDto, description: 'The queued backup.' })
  create(@Body() { reason }: RunTaskDto): Promise<BackupDto> {
    return this.backups.create(reason);
  }

  @Post(':id/verify')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/admin/backups')
  @ApiOperation({
    operationId: 'verifyBackup',
    summary: 'Verify a backup',
    description:
      'Queues another check of a backup: a worker reads its file from the store, restores it and compares. Answers ' +
      '409 when it has no file or is pending or running. Needs POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiParam({ name: 'id', type: 'integer', description: 'Id of the backup.', example: 12 })
  @ApiAcceptedResponse({ type: BackupDto, description: 'The queued backup.' })
  verify(@Param('id', ParseIdPipe) id: number, @Body() { reason }: ReasonDto): Promise<BackupDto> {
    return this.backups.verify(id, reason);
  }
}
