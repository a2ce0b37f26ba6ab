import { Body, Controller, Delete, Get, HttpCode, Param, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Unconditional } from '../platform/http/responses/resource-headers';
import { Post } from '../platform/idempotency/post';
import { AuthorizationsService } from './authorizations.service';
import { AuthorizationDto, CallbackDto, CreateTokenDto, TokenDto } from './tokens.dto';
import { TokensService } from './tokens.service';

/** Connections to Upwork: made, watched, refreshed, ended. No answer holds a token. */
@ApiTags('Tokens')
@SignedIn()
@Controller({ path: 'tokens', version: '1' })
export class TokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly authorizations: AuthorizationsService,
  ) {}

  @Post()
  @ApiOperation({
    operationId: 'createConnection',
    summary: 'Store a connection made elsewhere',
    description:
      'Keeps the pair, sealed, without calling the provider. The same provider and organization again replaces the pair (200).',
  })
  @ApiCreatedResponse({ type: TokenDto, description: 'The new connection.' })
  @ApiOkResponse({ type: TokenDto, description: 'The connection, with the new pair.' })
  async store(@Body() dto: CreateTokenDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<TokenDto> {
    return sendToken(await this.tokens.store(dto), reply);
  }

  @Get()
  @ApiOperation({
    operationId: 'listConnections',
    summary: 'List your connections',
    description: 'With status and health; oldest first.',
  })
  @ApiPage(TokenDto)
  list(@Query() query: PageQueryDto): Promise<Page<TokenDto>> {
    return this.tokens.list(query);
  }

  @Post('upwork/authorize')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'startUpworkAuthorization',
    summary: 'Start connecting Upwork',
    description:
      'Send the user to `url`. Upwork sends him back with `code` and `state`: hand both to the callback, in this session, within ten minutes.',
  })
  @ApiOkResponse({ type: AuthorizationDto, description: 'Where the user allows the connection.' })
  authorize(): Promise<AuthorizationDto> {
    return this.authorizations.begin();
  }

  @Get('upwork/callback')
  @Unconditional()
  @ApiOperation({
    operationId: 'completeUpworkAuthorization',
    summary: 'Complete connecting Upwork',
    description:
      'Takes what Upwork added to the callback URL. A state is good once, and only in the session that began.',
  })
  @ApiCreatedResponse({ type: TokenDto, description: 'The new connection.' })
  @ApiOkResponse({ type: TokenDto, description: 'The connection there was, with the new pair.' })
  async completeAuthorization(
    @Query() query: CallbackDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenDto> {
    return sendToken(await this.authorizations.complete(query), reply);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getConnection',
    summary: 'Read a connection',
    description: 'Status, health and what went wrong last; never a token.',
  })
  @ApiOkResponse({ type: TokenDto, description: 'The connection.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<TokenDto> {
    return this.tokens.get(id);
  }

  @Post(':id/refresh')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'refreshConnection',
    summary: 'Refresh a connection now',
    description:
      'Connections are refreshed by themselves; this does it at once. However many ask, the provider is called once.',
  })
  @ApiOkResponse({ type: TokenDto, description: 'The connection, refreshed.' })
  refresh(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<TokenDto> {
    return this.tokens.refresh(id, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteConnection',
    summary: 'Disconnect',
    description: 'Forgets the pair. What was synchronised stays.',
  })
  @ApiNoContentResponse({ description: 'It is gone.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.tokens.remove(id, ifMatch);
  }
}

function sendToken({ token, isNew }: { token: TokenDto; isNew: boolean }, reply: FastifyReply): TokenDto {
  void reply.status(isNew ? 201 : 200).header('location', `/v1/tokens/${token.id}`);
  return token;
}
