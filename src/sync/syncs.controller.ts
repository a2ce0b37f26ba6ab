import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../platform/http/responses/preconditions';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import { SyncDto, SyncListDto } from './syncs.dto';
import { SyncsService } from './syncs.service';

const CONDITIONS =
  'Needs a connection (POST /v1/tokens/upwork/authorize). Allowed once in 30 s (UPWORK_SYNC_INTERVAL_SECONDS); an ' +
  'earlier request is rejected with 429 and Retry-After.';

/** Syncs with Upwork: request and monitor. */
@ApiTags('Sync')
@SignedIn()
@Controller({ version: '1' })
export class SyncsController {
  constructor(private readonly syncs: SyncsService) {}

  @Post('jobs/sync')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/syncs')
  @ApiOperation({
    operationId: 'syncJobs',
    summary: 'Sync jobs',
    description: `Runs your saved searches on each connection. Poll GET /v1/syncs/{id} for the result. ${CONDITIONS}`,
  })
  @ApiAcceptedResponse({ type: SyncListDto, description: 'The queued syncs.' })
  async syncJobs(): Promise<SyncListDto> {
    return { items: await this.syncs.request('jobs') };
  }

  @Post('proposals/sync')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/syncs')
  @ApiOperation({
    operationId: 'syncProposals',
    summary: 'Sync proposals',
    description: `Updates proposals that were submitted, accepted or rejected on Upwork. ${CONDITIONS}`,
  })
  @ApiAcceptedResponse({ type: SyncListDto, description: 'The queued syncs.' })
  async syncProposals(): Promise<SyncListDto> {
    return { items: await this.syncs.request('proposals') };
  }

  @Post('messages/sync')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/syncs')
  @ApiOperation({
    operationId: 'syncMessages',
    summary: 'Sync messages',
    description: `Fetches new and edited messages of your rooms on Upwork. ${CONDITIONS}`,
  })
  @ApiAcceptedResponse({ type: SyncListDto, description: 'The queued syncs.' })
  async syncMessages(): Promise<SyncListDto> {
    return { items: await this.syncs.request('messages') };
  }

  @Get('syncs')
  @ApiOperation({
    operationId: 'listSyncs',
    summary: 'List syncs',
    description: 'Returns up to three for each connection, with last success and lag.',
  })
  @ApiOkResponse({ type: SyncListDto, description: 'The syncs.' })
  async list(): Promise<SyncListDto> {
    return { items: await this.syncs.list() };
  }

  @Get('syncs/:id')
  @ApiOperation({
    operationId: 'getSync',
    summary: 'Get a sync',
    description: 'Returns its status, counts and last error.',
  })
  @ApiOkResponse({ type: SyncDto, description: 'The sync.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<SyncDto> {
    return this.syncs.get(id);
  }
}
