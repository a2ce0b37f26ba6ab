import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Patch, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { ApiPage, type Page } from '../../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { Post } from '../../../platform/idempotency/post';
import { AdminUserDto, ChangeUserDto, ListUsersDto } from './users.dto';
import { ReasonDto } from '../reason.dto';
import { AdminUsersService } from './admin-users.service';

const USER_ID = { name: 'id', type: 'integer', description: 'The user.', example: 7 } as const;

/** The accounts of the installation; each act is on record with its reason. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/users', version: '1' })
export class AdminUsersController {
  constructor(private readonly users: AdminUsersService) {}

  @Get()
  @ApiOperation({
    operationId: 'listUsers',
    summary: 'List and search users',
    description: 'Newest first. The reading itself is a security event.',
  })
  @ApiPage(AdminUserDto)
  list(@Query() query: ListUsersDto): Promise<Page<AdminUserDto>> {
    return this.users.list(query);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'changeUser',
    summary: 'Deactivate a user or change his role',
    description: 'Ends his sessions at once. The last active admin stays one.',
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
    description: 'Everywhere within a second; he is told by mail.',
  })
  @ApiParam(USER_ID)
  @ApiNoContentResponse({ description: 'They are over.' })
  endSessions(@Param('id', ParseIdPipe) id: number, @Body() { reason }: ReasonDto): Promise<void> {
    return this.users.endSessions(id, reason);
  }

  @Post(':id/reset-mfa')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'resetUserMfa',
    summary: "Reset a user's MFA",
    description: 'For an owner who has lost it: ends his sessions and tells him by mail. No secret is shown or chosen.',
  })
  @ApiParam(USER_ID)
  @ApiOkResponse({ type: AdminUserDto })
  resetMfa(@Param('id', ParseIdPipe) id: number, @Body() { reason }: ReasonDto): Promise<AdminUserDto> {
    return this.users.resetMfa(id, reason);
  }
}
