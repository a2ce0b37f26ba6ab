import { Controller, Get, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AdminOnly, SignedIn } from '../../platform/http/access/access';
import { ServesTypes } from '../../platform/http/edge/request-hooks';
import { AccountExportService, type LogExport } from './account-export.service';
import { InstallationExportService } from './installation-export.service';
import { type ExportFormat, ExportLogsDto } from './audit-export.dto';

const TYPES: Readonly<Record<ExportFormat, string>> = { ndjson: 'application/x-ndjson', csv: 'text/csv' };

const EXPORTED = {
  description: 'The file.',
  content: Object.fromEntries(Object.values(TYPES).map((type) => [type, { schema: { type: 'string' as const } }])),
  headers: {
    'Gigvault-Checkpoint': {
      description: 'The signed head of the tree that covers the file, in base64.',
      schema: { type: 'string' as const },
    },
  },
};

/** The export of the signed-in user's audit log. */
@ApiTags('Audit')
@SignedIn()
@Controller({ path: 'audit/logs', version: '1' })
export class AccountExportController {
  constructor(private readonly exports: AccountExportService) {}

  @Get('export')
  @ServesTypes(...Object.values(TYPES))
  @ApiOperation({
    operationId: 'exportAuditLog',
    summary: 'Export your audit log',
    description:
      'Streams the changes of your rows, oldest first. `ndjson` has the signed head of the log and a proof for each ' +
      'row, which `npm run audit:verify` checks offline; the last line shows that the file is complete. `csv` is for ' +
      'spreadsheets. 409 until the first rows of the installation are sealed. The export is in your security events.',
  })
  @ApiOkResponse(EXPORTED)
  async export(
    @Query() query: ExportLogsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return toFile(await this.exports.export(query), query.format, 'gigvault-audit-log', reply);
  }
}

/** The export of both logs of the whole installation. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/audit', version: '1' })
export class InstallationExportController {
  constructor(private readonly exports: InstallationExportService) {}

  @Get('export')
  @ServesTypes(...Object.values(TYPES))
  @ApiOperation({
    operationId: 'exportLogs',
    summary: 'Export the audit and security logs',
    description:
      'Streams both logs, oldest row first. `ndjson` has the signed head of the log and all entries of its tree, by ' +
      'which `npm run audit:verify` finds changed and deleted rows offline; the last line shows that the file is ' +
      'complete. `csv` is for spreadsheets. 409 until the first rows, or the events of an erasure, are sealed. Each ' +
      'export is recorded as a security event.',
  })
  @ApiOkResponse(EXPORTED)
  async export(
    @Query() query: ExportLogsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return toFile(await this.exports.export(query), query.format, 'gigvault-logs', reply);
  }
}

function toFile({ checkpoint, stream }: LogExport, format: ExportFormat, name: string, reply: FastifyReply) {
  void reply.header('gigvault-checkpoint', Buffer.from(checkpoint).toString('base64'));
  return new StreamableFile(stream, {
    type: `${TYPES[format]}; charset=utf-8`,
    disposition: `attachment; filename="${name}.${format}"`,
  });
}
