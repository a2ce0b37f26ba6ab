import { Body, Controller, Get, HttpCode, HttpStatus, Patch, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn, StepUp } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ErasureCertificateDto, LimitsDto, UpdateUserDto, UserDto } from './users.dto';
import { AccountLimitsService, UsersService } from './users.service';
import { ListAccountSecurityLogsDto, SecurityLogDto } from '../audit/logs/audit-logs.dto';
import { SecurityLogsService } from '../audit/logs/security-logs.service';
import { ApiPage, type Page } from '../platform/http/pagination/page.dto';
import { NotIdempotent } from '../platform/idempotency/idempotency.interceptor';
import { AccountErasureService, DataExportService } from './account-data.service';

/** Routes for the user's own account. */
@ApiTags('Users')
@SignedIn()
@Controller({ path: 'users', version: '1' })
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get('me')
  @ApiOperation({
    operationId: 'getCurrentUser',
    summary: 'Get your account',
    description: 'Returns your names, email address, role and verification.',
  })
  @ApiOkResponse({ type: UserDto })
  get(): Promise<UserDto> {
    return this.users.get();
  }

  @Patch('me')
  @ApiOperation({
    operationId: 'updateCurrentUser',
    summary: 'Update your names',
    description: 'Takes a JSON merge patch; null clears a name.',
  })
  @ApiOkResponse({ type: UserDto })
  update(@Body() dto: UpdateUserDto, @IfMatch() ifMatch?: Preconditions): Promise<UserDto> {
    return this.users.update(dto, ifMatch);
  }
}

/** Routes for the user's data: export, erasure, security events and limits. */
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
    summary: 'Export your data',
    description:
      'Streams JSON with one list per table and `"complete": true` at the end. Secrets are left out. Needs ' +
      'POST /v1/auth/step-up within the last 10 minutes. At most ten an hour.',
  })
  @ApiOkResponse({
    description: 'The export as a file.',
    content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
  })
  async export(): Promise<StreamableFile> {
    return new StreamableFile(await this.dataExport.export(), {
      type: 'application/json; charset=utf-8',
      disposition: 'attachment; filename="gigvault-export.json"',
    });
  }

  @Post('erase')
  @NotIdempotent('an erased user has no keys')
  @StepUp()
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'eraseAccount',
    summary: 'Erase your account',
    description:
      'Permanently deletes the account and all its data. Needs POST /v1/auth/step-up within the last 10 minutes. ' +
      'Returns what was erased and what stays until when.',
  })
  @ApiOkResponse({ type: ErasureCertificateDto })
  erase(): Promise<ErasureCertificateDto> {
    return this.erasure.erase();
  }

  @Get('security-events')
  @ApiOperation({
    operationId: 'listSecurityEvents',
    summary: 'List your security events',
    description:
      'Sign-ins and security changes of your account, failed ones included, and accesses of admins to your data. ' +
      'Newest first.',
  })
  @ApiPage(SecurityLogDto)
  listSecurityEvents(@Query() query: ListAccountSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    return this.events.listForUser(query);
  }

  @Get('limits')
  @ApiOperation({
    operationId: 'listLimits',
    summary: 'List your limits',
    description: 'Returns each limit, its window and your current use.',
  })
  @ApiOkResponse({ type: LimitsDto })
  async listLimits(): Promise<LimitsDto> {
    return { items: await this.limits.list() };
  }
}
