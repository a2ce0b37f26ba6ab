import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../platform/http/access';
import type { Page } from '../platform/http/page';
import { ApiPage } from '../platform/http/page-response';
import { AuditLogsService } from './audit-logs.service';
import { AdminAuditLogDto } from './dto/admin-audit-log.dto';
import { ListAllAuditLogsDto } from './dto/list-all-audit-logs.dto';
import { ListSecurityLogsDto } from './dto/list-security-logs.dto';
import { SecurityLogDto } from './dto/security-log.dto';
import { SecurityLogsService } from './security-logs.service';

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
    summary: "List what happened to all tenants' rows",
    description: 'Newest first. The reading itself is a security event.',
  })
  @ApiPage(AdminAuditLogDto)
  listAuditLogs(@Query() query: ListAllAuditLogsDto): Promise<Page<AdminAuditLogDto>> {
    return this.auditLogs.listAll(query);
  }

  @Get('security-logs')
  @ApiOperation({
    summary: 'List security events',
    description: 'Newest first. The reading itself is such an event.',
  })
  @ApiPage(SecurityLogDto)
  listSecurityLogs(@Query() query: ListSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    return this.securityLogs.list(query);
  }
}
