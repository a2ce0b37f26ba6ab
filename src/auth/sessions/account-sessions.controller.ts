import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { OpenBeforeEnrolment, SignedIn } from '../../platform/http/access/access';
import { NotIdempotent } from '../../platform/idempotency/idempotency.interceptor';
import { LogoutDto, SessionsDto } from './sessions.dto';
import { AccountSessionsService } from './account-sessions.service';

/** Routes to list and end the user's sessions. */
@ApiTags('Auth')
@SignedIn()
@OpenBeforeEnrolment()
@NotIdempotent('it has the same effect when repeated')
@Controller({ path: 'auth', version: '1' })
export class AccountSessionsController {
  constructor(private readonly sessions: AccountSessionsService) {}

  @Post('logout')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'logout',
    summary: 'Sign out',
    description: 'Ends this session in every process within a second.',
  })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  logout(@Body() { refreshToken }: LogoutDto): Promise<void> {
    return this.sessions.logout(refreshToken);
  }

  @Get('sessions')
  @ApiOperation({
    operationId: 'listSessions',
    summary: 'List your sessions',
    description: 'Most recently used first; at most SESSION_MAX_PER_USER.',
  })
  @ApiOkResponse({ type: SessionsDto })
  async list(): Promise<SessionsDto> {
    return { items: await this.sessions.list() };
  }

  @Delete('sessions')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'endOtherSessions',
    summary: 'End your other sessions',
    description: 'Ends all sessions but the one of this request.',
  })
  @ApiNoContentResponse({ description: 'The other sessions have ended.' })
  endOthers(): Promise<void> {
    return this.sessions.endOthers();
  }

  @Delete('sessions/:id')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiParam({
    name: 'id',
    description: 'Id of the session.',
    schema: { type: 'string' },
    example: 'nJb2mE0iX8s1u3aQd5wV7g',
  })
  @ApiOperation({
    operationId: 'endSession',
    summary: 'End a session',
    description: 'Ends one of your sessions in every process within a second.',
  })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  end(@Param('id') id: string): Promise<void> {
    return this.sessions.end(id);
  }
}
