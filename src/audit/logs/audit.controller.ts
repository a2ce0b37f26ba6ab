import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly, SignedIn } from '../../platform/http/access/access';
import { ApiPage, type Page, PageQueryDto } from '../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { AuditLogsService } from './audit-logs.service';
import {
  AdminAuditLogDto,
  AuditLogDto,
  ListAllAuditLogsDto,
  ListAuditLogsDto,
  ListSecurityLogsDto,
  SecurityLogDto,
} from './audit-logs.dto';
import { SecurityLogsService } from './security-logs.service';
import { AuditProofsService } from '../seals/audit-proofs.service';
import { AuditProofDto, SealDto } from '../seals/audit-seals.dto';

/** Routes for the changes of the signed-in user's rows; those of one record are in audit-history.controller.ts. */
@ApiTags('Audit')
@SignedIn()
@Controller({ path: 'audit', version: '1' })
export class AuditController {
  constructor(
    private readonly logs: AuditLogsService,
    private readonly proofs: AuditProofsService,
  ) {}

  @Get('logs')
  @ApiOperation({
    operationId: 'listAuditLogs',
    summary: 'List your audit log',
    description: 'Changes of your rows, newest first. Includes changes by tasks, admins and direct database logins.',
  })
  @ApiPage(AuditLogDto)
  list(@Query() query: ListAuditLogsDto): Promise<Page<AuditLogDto>> {
    return this.logs.list(query);
  }

  @Get('logs/:id/proof')
  @ApiOperation({
    operationId: 'getAuditProof',
    summary: 'Prove a row of your audit log',
    description:
      'An inclusion proof in the Merkle tree of the logs, whose head is signed. 409 until the row is sealed, within ' +
      'about a minute.',
  })
  @ApiParam({ name: 'id', type: 'integer', description: 'Id of the row of the audit log.', example: 1001 })
  @ApiOkResponse({ type: AuditProofDto, description: 'The proof.' })
  prove(@Param('id', ParseIdPipe) id: number): Promise<AuditProofDto> {
    return this.proofs.prove(id);
  }
}

/** Routes for both logs of the whole installation; each access is recorded as a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin', version: '1' })
export class AdminLogsController {
  constructor(
    private readonly auditLogs: AuditLogsService,
    private readonly securityLogs: SecurityLogsService,
    private readonly proofs: AuditProofsService,
  ) {}

  @Get('audit/logs')
  @ApiOperation({
    operationId: 'listAllAuditLogs',
    summary: 'List the audit log of all tenants',
    description: 'Newest first. Each request is recorded as a security event.',
  })
  @ApiPage(AdminAuditLogDto)
  listAuditLogs(@Query() query: ListAllAuditLogsDto): Promise<Page<AdminAuditLogDto>> {
    return this.auditLogs.listAll(query);
  }

  @Get('audit/seals')
  @ApiOperation({
    operationId: 'listAuditSeals',
    summary: 'List the seals of the logs',
    description: 'Newest first. Keep a checkpoint elsewhere: a log that was cut or rewritten later does not extend it.',
  })
  @ApiPage(SealDto)
  listSeals(@Query() query: PageQueryDto): Promise<Page<SealDto>> {
    return this.proofs.listSeals(query);
  }

  @Get('security-logs')
  @ApiOperation({
    operationId: 'listAllSecurityLogs',
    summary: 'List the security events of all users',
    description: 'Newest first. Each request is recorded as a security event.',
  })
  @ApiPage(SecurityLogDto)
  listSecurityLogs(@Query() query: ListSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    return this.securityLogs.list(query);
  }
}
