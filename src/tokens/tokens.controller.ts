import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions, Unconditional } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent, NotIdempotent } from '../platform/idempotency/idempotency.interceptor';
import { AuthorizationsService } from './authorizations.service';
import { AuthorizationDto, CallbackDto, CreateTokenDto, TokenDto, UpdateTokenDto } from './tokens.dto';
import { TokensService } from './tokens.service';

/** Connections to Upwork. No response contains a token. */
@ApiTags('Tokens')
@SignedIn()
@Controller({ path: 'tokens', version: '1' })
export class TokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly authorizations: AuthorizationsService,
  ) {}

  @Post()
  @Idempotent({ sealsSecrets: true })
  @ApiOperation({
    operationId: 'createConnection',
    summary: 'Create a connection',
    description:
      'Stores a token pair obtained elsewhere, encrypted, without calling the provider. A connection to the same ' +
      'provider and organization gets the new pair (200).',
  })
  @ApiCreatedResponse({ type: TokenDto, description: 'The new connection.' })
  @ApiOkResponse({ type: TokenDto, description: 'The existing connection, with the new pair.' })
  async store(@Body() dto: CreateTokenDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<TokenDto> {
    return sendToken(await this.tokens.store(dto), reply);
  }

  @Get()
  @ApiOperation({
    operationId: 'listConnections',
    summary: 'List connections',
    description: 'Returns your connections with status and health, oldest first.',
  })
  @ApiPage(TokenDto)
  list(@Query() query: PageQueryDto): Promise<Page<TokenDto>> {
    return this.tokens.list(query);
  }

  @Post('upwork/authorize')
  @NotIdempotent('the response contains the state of an authorization')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'startUpworkAuthorization',
    summary: 'Start the Upwork authorization',
    description:
      'Redirect the user to `url`. Upwork redirects them to UPWORK_REDIRECT_URL, a page of your front end, with ' +
      '`code` and `state`. Pass both to GET /v1/tokens/upwork/callback within ten minutes, in the same session.',
  })
  @ApiOkResponse({ type: AuthorizationDto, description: 'The URL where the user grants access.' })
  authorize(): Promise<AuthorizationDto> {
    return this.authorizations.begin();
  }

  @Get('upwork/callback')
  @Unconditional()
  @ApiOperation({
    operationId: 'completeUpworkAuthorization',
    summary: 'Complete the Upwork authorization',
    description:
      'Takes the parameters that Upwork added to the callback URL. A state can be used once, within ten minutes, and ' +
      'only in the session that started it.',
  })
  @ApiCreatedResponse({ type: TokenDto, description: 'The new connection.' })
  @ApiOkResponse({ type: TokenDto, description: 'The existing connection, with the new pair.' })
  async completeAuthorization(
    @Query() query: CallbackDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenDto> {
    return sendToken(await this.authorizations.complete(query), reply);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getConnection',
    summary: 'Get a connection',
    description: 'Returns status, health and the last error; never a token.',
  })
  @ApiOkResponse({ type: TokenDto, description: 'The connection.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<TokenDto> {
    return this.tokens.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateConnection',
    summary: 'Update a connection',
    description:
      'A JSON merge patch. `organizationId` chooses the organization for which the connection works, when the user ' +
      'belongs to several. Its data is then synchronised from the beginning; data of the former organization stays.',
  })
  @ApiOkResponse({ type: TokenDto, description: 'The updated connection.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() changes: UpdateTokenDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<TokenDto> {
    return this.tokens.update(id, changes, ifMatch);
  }

  @Post(':id/refresh')
  @NotIdempotent('no transaction may wait for Upwork; within seconds a connection is refreshed once anyway')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'refreshConnection',
    summary: 'Refresh a connection',
    description:
      'Refreshes at once; connections are also refreshed automatically before they expire. ' +
      'Parallel requests share one call to the provider.',
  })
  @ApiOkResponse({ type: TokenDto, description: 'The connection, refreshed.' })
  refresh(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<TokenDto> {
    return this.tokens.refresh(id, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteConnection',
    summary: 'Delete a connection',
    description: 'Deletes the connection and its tokens. Data fetched with it stays.',
  })
  @ApiNoContentResponse({ description: 'The connection is deleted.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.tokens.remove(id, ifMatch);
  }
}

function sendToken({ token, isNew }: { token: TokenDto; isNew: boolean }, reply: FastifyReply): TokenDto {
  void reply.status(isNew ? 201 : 200).header('location', `/v1/tokens/${token.id}`);
  return token;
}
