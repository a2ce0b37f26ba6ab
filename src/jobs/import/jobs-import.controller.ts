import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SignedIn } from '../../platform/http/access/access';
import { LargeBody } from '../../platform/http/edge/body-parsers';
import { HandlesIdempotencyKey } from '../../platform/idempotency/idempotency.interceptor';
import { CreateJobDto } from '../jobs.dto';
import { ImportReportDto } from './import-report.dto';
import { IdempotentImportService } from './idempotent-import.service';

/** Route for the import of jobs from a file. */
@ApiTags('Jobs')
@SignedIn()
@Controller({ path: 'jobs/import', version: '1' })
export class JobsImportController {
  constructor(private readonly imports: IdempotentImportService) {}

  @Post()
  @HandlesIdempotencyKey('the body is a stream, which the handler hashes')
  @HttpCode(200)
  @LargeBody('application/json', 'application/x-ndjson', 'text/csv')
  @ApiOperation({
    operationId: 'importJobs',
    summary: 'Import jobs from a file',
    description: [
      'Rows have the fields of POST /v1/jobs: as a JSON array of at most 10,000, as NDJSON, or as CSV with a header of',
      'field names (case, spaces and underscores do not matter), or with the columns of an Upwork listing (`Job',
      'Title,Hourly/Fixed,Budget,Level,Skills`). At most 64 MiB, not compressed. CSV is UTF-8, or UTF-16 with a byte',
      'order mark; the separator is a comma, a semicolon, a tab or `|`. Empty rows and empty columns without a name',
      'are ignored. `TRUE`, `yes`, `1` and a check mark are true, in other languages too; `$1,200.00`, `1.200,00` and',
      '`1 200,00` are 1200.00; skills are separated by commas or are a JSON array; clientInfo is JSON. Cells with',
      '`nan`, `NULL`, `None`, `N/A` or `-` are empty. Valid rows are kept when others fail. A row with a known',
      '`upworkJobId` replaces all fields of that job, also with empty values, except status and favourite. A row',
      'without one is a known job when all fields are equal. With an Idempotency-Key the import is one transaction of',
      'at most 10,000 rows; without one it is stored in batches. Imports of one account run one after the other: a',
      'second and a third wait, more are answered 429.',
    ].join(' '),
  })
  @ApiConsumes('application/json', 'application/x-ndjson', 'text/csv')
  @ApiBody({ description: 'The rows in one of the three formats.', type: [CreateJobDto] })
  @ApiOkResponse({ type: ImportReportDto, description: 'The result for the rows.' })
  import(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<ImportReportDto> {
    return this.imports.run(request, reply);
  }
}
