import { Body, Controller, Get, HttpCode, HttpStatus, Patch, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn, StepUp } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ErasureCertificateDto, LimitsDto, UpdateUserDto, UserDto } from './users.dto';
import { AccountLimitsService, UsersService } from './users.service';
import { ListOwnSecurityLogsDto, SecurityLogDto } from '../audit/logs/security-logs.dto';
import { SecurityLogsService } from '../audit/logs/security-logs.service';
import { ApiPage, type Page } from '../platform/http/pagination/page.dto';
import { Post } from '../platform/idempotency/post';
import { AccountErasureService } from './account-erasure.service';
import { DataExportService } from './data-export.service';

/** One's own account. */
@ApiTags('Users')
@SignedIn()
@Controller({ path: 'users', version: '1' })
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get('me')
  @ApiOperation({
    operationId: 'getCurrentUser',
    summary: 'Read your account',
    description: 'Your own names, address and standing.',
  })
  @ApiOkResponse({ type: UserDto })
  get(): Promise<UserDto> {
    return this.users.get();
  }

  @Patch('me')
  @ApiOperation({
    operationId: 'updateCurrentUser',
    summary: 'Change your names',
    description: 'A merge patch; null clears a name.',
  })
  @ApiOkResponse({ type: UserDto })
  update(@Body() dto: UpdateUserDto, @IfMatch() ifMatch?: Preconditions): Promise<UserDto> {
    return this.users.update(dto, ifMatch);
  }
}

/** What is held on the signed-in user, and leaving with it. */
@ApiTags('Users')
@SignedIn()
@Controller({ path: 'users/me', version: '1' })
export class AccountDataController {
  constructor(
    private readonly dataExport: DataExportService,
    private readonly erasure: AccountErasureService,
    private readonly events: SecurityLogsService,
    private readonly limits: AccountLimitsService,
  ) {}

  @Get('export')
  @StepUp()
  @ApiOperation({
    operationId: 'exportAccount',
    summary: 'Export everything held on you',
    description:
      'Streamed JSON, one list a table, at its end `"complete": true`. Asks for a fresh step-up; secrets are left out. Ten an hour.',
  })
  @ApiOkResponse({
    description: 'The file.',
    content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
  })
  async export(): Promise<StreamableFile> {
    return new StreamableFile(await this.dataExport.export(), {
      type: 'application/json; charset=utf-8',
      disposition: 'attachment; filename="gigvault-export.json"',
    });
  }

  @Post('erase')
  @StepUp()
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'eraseAccount',
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
    operationId: 'listSecurityEvents',
    summary: 'List what happened to your account',
    description: 'Sign-ins and changes, tried and done, newest first.',
  })
  @ApiPage(SecurityLogDto)
  listSecurityEvents(@Query() query: ListOwnSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    return this.events.listForUser(query);
  }

  @Get('limits')
  @ApiOperation({
    operationId: 'listLimits',
    summary: 'Read your limits',
    description: 'What you may do how often, and what you have used of it.',
  })
  @ApiOkResponse({ type: LimitsDto })
  async listLimits(): Promise<LimitsDto> {
    return { items: await this.limits.list() };
  }
}
