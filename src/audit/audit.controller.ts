import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access';
import type { Page } from '../platform/http/page';
import { PageQueryDto } from '../platform/http/page-query.dto';
import { ApiPage } from '../platform/http/page-response';
import { ParseIdPipe } from '../platform/http/parse-id.pipe';
import { AuditLogsService } from './audit-logs.service';
import { AuditLogDto } from './dto/audit-log.dto';
import { ListAuditLogsDto } from './dto/list-audit-logs.dto';

/** What happened to the signed-in user's rows, and by whom. */
@ApiTags('Audit')
@SignedIn()
@Controller({ path: 'audit', version: '1' })
export class AuditController {
  constructor(private readonly logs: AuditLogsService) {}

  @Get('logs')
  @ApiOperation({
    summary: 'List what happened to your rows',
    description: 'Newest first. Changes by tasks, admins and at the database itself are among them.',
  })
  @ApiPage(AuditLogDto)
  list(@Query() query: ListAuditLogsDto): Promise<Page<AuditLogDto>> {
    return this.logs.list(query);
  }

  @Get(':table/:recordId')
  @ApiOperation({
    summary: "Read one record's trail",
    description: 'All that happened to one of your rows, newest first, also after it was deleted.',
  })
  @ApiParam({ name: 'table', description: 'The table of the record.', example: 'jobs' })
  @ApiParam({ name: 'recordId', type: 'integer', description: 'The id of the record.', example: 42 })
  @ApiPage(AuditLogDto)
  trail(
    @Param('table') table: string,
    @Param('recordId', ParseIdPipe) recordId: number,
    @Query() query: PageQueryDto,
  ): Promise<Page<AuditLogDto>> {
    return this.logs.trail(table, recordId, query);
  }
}
