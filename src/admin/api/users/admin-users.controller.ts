import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { ApiPage, type Page } from '../../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { NotIdempotent } from '../../../platform/idempotency/idempotency.interceptor';
import { AdminUserDto, ChangeUserDto, ListUsersDto } from './users.dto';
import { ReasonDto } from '../reason.dto';
import { AdminUsersService } from './admin-users.service';

const USER_ID = { name: 'id', type: 'integer', description: 'Id of the user.', example: 7 } as const;

/** Routes for the accounts of the installation; every request is a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/users', version: '1' })
export class AdminUsersController {
  constructor(private readonly users: AdminUsersService) {}

  @Get()
  @ApiOperation({
    operationId: 'listUsers',
    summary: 'List users',
    description: 'Newest first, filtered by text, role and state. Each request is a security event.',
  })
  @ApiPage(AdminUserDto)
  list(@Query() query: ListUsersDto): Promise<Page<AdminUserDto>> {
    return this.users.list(query);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'changeUser',
    summary: 'Change the state or role of a user',
    description:
      'Deactivates, reactivates, promotes or demotes an account. A change ends its sessions at once. Answers 409 for ' +
      'the last active admin. Needs POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiParam(USER_ID)
  @ApiOkResponse({ type: AdminUserDto })
  change(@Param('id', ParseIdPipe) id: number, @Body() dto: ChangeUserDto): Promise<AdminUserDto> {
    return this.users.change(id, dto);
  }

  @Delete(':id/sessions')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'endUserSessions',
    summary: 'End all sessions of a user',
    description:
      'Signs the user out everywhere within a second and notifies them by email. Needs POST /v1/auth/step-up within ' +
      'the last 10 minutes.',
  })
  @ApiParam(USER_ID)
  @ApiNoContentResponse({ description: 'The sessions were ended.' })
  endSessions(@Param('id', ParseIdPipe) id: number, @Body() { reason }: ReasonDto): Promise<void> {
    return this.users.endSessions(id, reason);
  }

  @Post(':id/reset-mfa')
  @NotIdempotent('it sends an email, and has the same effect when repeated')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'resetUserMfa',
    summary: "Reset a user's MFA",
    description:
      'Turns off the second factor of a user who has lost it, ends their sessions and notifies them by email. The ' +
      'password stays. Answers 409 when MFA is off. Needs POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiParam(USER_ID)
  @ApiOkResponse({ type: AdminUserDto })
  resetMfa(@Param('id', ParseIdPipe) id: number, @Body() { reason }: ReasonDto): Promise<AdminUserDto> {
    return this.users.resetMfa(id, reason);
  }
}
