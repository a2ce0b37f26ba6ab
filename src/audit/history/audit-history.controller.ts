import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiParam, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { SignedIn } from '../../platform/http/access/access';
import { buildPageSchema, type Page } from '../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { AuditLogDto } from '../logs/audit-logs.dto';
import { AuditLogsService } from '../logs/audit-logs.service';
import { AuditTrailQueryDto, RecordVersionDto } from './record-version.dto';
import { RecordVersionsService } from './record-versions.service';

/** Routes for the past of one record of the signed-in user. */
@ApiTags('Audit')
@SignedIn()
@Controller({ path: 'audit', version: '1' })
export class AuditHistoryController {
  constructor(
    private readonly logs: AuditLogsService,
    private readonly versions: RecordVersionsService,
  ) {}

  @Get(':table/:recordId')
  @ApiOperation({
    operationId: 'getAuditTrail',
    summary: 'Get the audit trail of a record',
    description:
      'All changes of one of your rows, newest first, also after it was deleted. With `at`, the record as it was at ' +
      'that time. 404 if there are no changes.',
  })
  @ApiParam({ name: 'table', description: 'Table of the record.', example: 'jobs' })
  @ApiParam({ name: 'recordId', type: 'integer', description: 'Id of the record.', example: 42 })
  @ApiExtraModels(AuditLogDto, RecordVersionDto)
  @ApiOkResponse({
    description: 'One page of the changes; with `at`, the record.',
    schema: { oneOf: [buildPageSchema(AuditLogDto), { $ref: getSchemaPath(RecordVersionDto) }] },
  })
  getTrail(
    @Param('table') table: string,
    @Param('recordId', ParseIdPipe) recordId: number,
    @Query() { at, ...query }: AuditTrailQueryDto,
  ): Promise<Page<AuditLogDto> | RecordVersionDto> {
    return at ? this.versions.getAt(table, recordId, at) : this.logs.getTrail(table, recordId, query);
  }
}
