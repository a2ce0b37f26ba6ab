import { Controller, Get, HttpCode, HttpStatus, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ListOwnSecurityLogsDto } from '../audit/dto/list-own-security-logs.dto';
import { SecurityLogDto } from '../audit/dto/security-log.dto';
import { SecurityLogsService } from '../audit/security-logs.service';
import { SignedIn, StepUp } from '../platform/http/access';
import type { Page } from '../platform/http/page';
import { ApiPage } from '../platform/http/page-response';
import { Post } from '../platform/idempotency/post';
import { ErasureCertificateDto } from './dto/erasure-certificate.dto';
import { LimitsDto } from './dto/limit.dto';
import { Erasure } from './erasure.service';
import { OwnData } from './export/own-data.service';
import { OwnLimits } from './own-limits.service';

/** What is held on the signed-in user, and leaving with it. */
@ApiTags('Users')
@SignedIn()
@Controller({ path: 'users/me', version: '1' })
export class OwnDataController {
  constructor(
    private readonly data: OwnData,
    private readonly erasure: Erasure,
    private readonly events: SecurityLogsService,
    private readonly limits: OwnLimits,
  ) {}

  @Get('export')
  @StepUp()
  @ApiOperation({
    summary: 'Export everything held on you',
    description:
      'Streamed JSON, one list a table, at its end `"complete": true`. Asks for a fresh step-up; secrets are left out. Ten an hour.',
  })
  @ApiOkResponse({
    description: 'The file.',
    content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
  })
  async export(): Promise<StreamableFile> {
    return new StreamableFile(await this.data.export(), {
      type: 'application/json; charset=utf-8',
      disposition: 'attachment; filename="gigvault-export.json"',
    });
  }

  @Post('erase')
  @StepUp()
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    summary: 'Erase your account',
    description:
      'For good, with all that hangs on it. Needs a re-authentication within the last 10 minutes. Answers what was erased and what stays until when.',
  })
  @ApiOkResponse({ type: ErasureCertificateDto })
  erase(): Promise<ErasureCertificateDto> {
    return this.erasure.erase();
  }

  @Get('security-events')
  @ApiOperation({
    summary: 'List what happened to your account',
    description: 'Sign-ins and changes, tried and done, newest first.',
  })
  @ApiPage(SecurityLogDto)
  listSecurityEvents(@Query() query: ListOwnSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    return this.events.listOwn(query);
  }

  @Get('limits')
  @ApiOperation({
    summary: 'Read your limits',
    description: 'What you may do how often, and what you have used of it.',
  })
  @ApiOkResponse({ type: LimitsDto })
  async listLimits(): Promise<LimitsDto> {
    return { items: await this.limits.list() };
  }
}
