import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { SignedIn } from '../../platform/http/access/access';
import { buildPageSchema, type Page } from '../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { NoFieldsDto } from '../../platform/http/validation/unread-input.guard';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor';
import { AuditLogDto } from '../logs/audit-logs.dto';
import { AuditLogsService } from '../logs/audit-logs.service';
import { AuditTrailQueryDto, RecordVersionDto } from './record-version.dto';
import { RecordVersionsService } from './record-versions.service';
import { RequestUndoDto } from './request-undo.dto';
import { RequestUndoService } from './request-undo.service';

/** Routes for the past of the signed-in user's records. */
@ApiTags('Audit')
@SignedIn()
@Controller({ path: 'audit', version: '1' })
export class AuditHistoryController {
  constructor(
    private readonly logs: AuditLogsService,
    private readonly versions: RecordVersionsService,
    private readonly undos: RequestUndoService,
  ) {}

  @Post('requests/:requestId/undo')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'undoRequest',
    summary: 'Undo a request',
    description:
      'Undoes all your changes of your rows with this X-Request-Id, or none: created rows are deleted, changed ' +
      'fields get their old values, deleted rows come back with their ids. Clients choose request ids: if several ' +
      'requests share one, all of them are undone. An undo can be undone too. 409 `audit.undo_refused` lists ' +
      'the `conflicts` (at most 100 of `conflictsTotal`), each with `table`, `recordId`, `message` and `reason`: ' +
      '`changed_later`, `in_use`, `value_taken`, `parent_gone`, `not_valid`, `erased`, `redacted` or `not_undoable`. ' +
      'Accounts, sessions, secrets, AI calls and sent messages cannot be undone. At most 20,000 changes.',
  })
  @ApiParam({ name: 'requestId', description: 'X-Request-Id of the request.', example: 'import-2026-01-31' })
  @ApiOkResponse({ type: RequestUndoDto, description: 'What was undone.' })
  undo(@Param('requestId') requestId: string, @Body() _body: NoFieldsDto): Promise<RequestUndoDto> {
    return this.undos.undo(requestId);
  }

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
