import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly, SignedIn } from '../../platform/http/access/access';
import { ApiPage, type Page, PageQueryDto } from '../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { AuditLogsService } from './audit-logs.service';
import { AdminAuditLogDto, AuditLogDto, ListAllAuditLogsDto, ListAuditLogsDto } from './audit-logs.dto';
import { ListSecurityLogsDto, SecurityLogDto } from './security-logs.dto';
import { SecurityLogsService } from './security-logs.service';

/** What happened to the signed-in user's rows, and by whom. */
@ApiTags('Audit')
@SignedIn()
@Controller({ path: 'audit', version: '1' })
export class AuditController {
  constructor(private readonly logs: AuditLogsService) {}

  @Get('logs')
  @ApiOperation({
    operationId: 'listAuditLogs',
    summary: 'List what happened to your rows',
    description: 'Newest first. Changes by tasks, admins and at the database itself are among them.',
  })
  @ApiPage(AuditLogDto)
  list(@Query() query: ListAuditLogsDto): Promise<Page<AuditLogDto>> {
    return this.logs.list(query);
  }

  @Get(':table/:recordId')
  @ApiOperation({
    operationId: 'getAuditTrail',
    summary: "Read one record's trail",
    description: 'All that happened to one of your rows, newest first, also after it was deleted.',
  })
  @ApiParam({ name: 'table', description: 'The table of the record.', example: 'jobs' })
  @ApiParam({ name: 'recordId', type: 'integer', description: 'The id of the record.', example: 42 })
  @ApiPage(AuditLogDto)
  getTrail(
    @Param('table') table: string,
    @Param('recordId', ParseIdPipe) recordId: number,
    @Query() query: PageQueryDto,
  ): Promise<Page<AuditLogDto>> {
    return this.logs.getTrail(table, recordId, query);
  }
}

/** The two logs of the whole installation; each reading leaves a security event of its own. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin', version: '1' })
export class AdminLogsController {
  constructor(
    private readonly auditLogs: AuditLogsService,
    private readonly securityLogs: SecurityLogsService,
  ) {}

  @Get('audit/logs')
  @ApiOperation({
    operationId: 'listAllAuditLogs',
    summary: "List what happened to all tenants' rows",
    description: 'Newest first. The reading itself is a security event.',
  })
  @ApiPage(AdminAuditLogDto)
  listAuditLogs(@Query() query: ListAllAuditLogsDto): Promise<Page<AdminAuditLogDto>> {
    return this.auditLogs.listAll(query);
  }

  @Get('security-logs')
  @ApiOperation({
    operationId: 'listAllSecurityLogs',
    summary: 'List security events',
    description: 'Newest first. The reading itself is such an event.',
  })
  @ApiPage(SecurityLogDto)
  listSecurityLogs(@Query() query: ListSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    return this.securityLogs.list(query);
  }
}
