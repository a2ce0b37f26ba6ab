import { Body, Controller, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly, StepUp } from '../../../platform/http/access/access';
import { ApiPage, type Page, PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../../../platform/http/responses/resource-headers';
import { Post } from '../../../platform/idempotency/post';
import { AdminBackupsService } from './admin-backups.service';
import { BackupDto } from './backups.dto';
import { ReasonDto, RunTaskDto } from '../reason.dto';

/** The backups; each act and each reading is a security event. What is in a backup leaves by no route. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/backups', version: '1' })
export class AdminBackupsController {
  constructor(private readonly backups: AdminBackupsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listBackups',
    summary: 'List the backups',
    description: 'Newest first, with those whose files are gone.',
  })
  @ApiPage(BackupDto)
  list(@Query() query: PageQueryDto): Promise<Page<BackupDto>> {
    return this.backups.list(query);
  }

  @Post()
  @StepUp()
  @HttpCode(202)
  @LocationAt('/v1/admin/backups')
  @ApiOperation({
    operationId: 'createBackup',
    summary: 'Make a backup now',
    description:
      'It is dumped, sealed, stored, and restored to see that it can be; only then is it `verified`. Needs a re-authentication within the last 10 minutes.',
  })
  @ApiAcceptedResponse({ type: BackupDto, description: 'The backup that waits for a worker.' })
  create(@Body() { reason }: RunTaskDto): Promise<BackupDto> {
    return this.backups.create(reason);
  }

  @Post(':id/verify')
  @StepUp()
  @HttpCode(202)
  @LocationAt('/v1/admin/backups')
  @ApiOperation({
    operationId: 'verifyBackup',
    summary: 'Verify a backup again',
    description:
      'Its file is read from where it is kept, restored and compared. Needs a re-authentication within the last 10 minutes.',
  })
  @ApiParam({ name: 'id', type: 'integer', description: 'The backup.', example: 12 })
  @ApiAcceptedResponse({ type: BackupDto, description: 'The backup that waits for a worker.' })
  verify(@Param('id', ParseIdPipe) id: number, @Body() { reason }: ReasonDto): Promise<BackupDto> {
    return this.backups.verify(id, reason);
  }
}
