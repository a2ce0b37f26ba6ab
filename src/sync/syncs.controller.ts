import { Controller, Get, HttpCode, Param } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../platform/http/responses/resource-headers';
import { Post } from '../platform/idempotency/post';
import { SyncDto, SyncListDto } from './syncs.dto';
import { SyncsService } from './syncs.service';

const CONDITIONS =
  'Needs a connection (POST /v1/tokens/upwork/authorize). Once in 30 s (UPWORK_SYNC_INTERVAL_SECONDS); sooner is 429 with Retry-After.';

/** What is brought in from Upwork, and how fresh it is. */
@ApiTags('Synchronisation')
@SignedIn()
@Controller({ version: '1' })
export class SyncsController {
  constructor(private readonly syncs: SyncsService) {}

  @Post('jobs/sync')
  @HttpCode(202)
  @LocationAt('/v1/syncs')
  @ApiOperation({
    operationId: 'syncJobs',
    summary: 'Search Upwork now',
    description: `Runs your saved searches on each connection. Follow it at GET /v1/syncs/{id}. ${CONDITIONS}`,
  })
  @ApiAcceptedResponse({ type: SyncListDto, description: 'The queued synchronisations.' })
  async syncJobs(): Promise<SyncListDto> {
    return { items: await this.syncs.request('jobs') };
  }

  @Post('proposals/sync')
  @HttpCode(202)
  @LocationAt('/v1/syncs')
  @ApiOperation({
    operationId: 'syncProposals',
    summary: 'Follow your proposals now',
    description: `What was submitted, accepted or rejected on Upwork moves on here. ${CONDITIONS}`,
  })
  @ApiAcceptedResponse({ type: SyncListDto, description: 'The queued synchronisations.' })
  async syncProposals(): Promise<SyncListDto> {
    return { items: await this.syncs.request('proposals') };
  }

  @Post('messages/sync')
  @HttpCode(202)
  @LocationAt('/v1/syncs')
  @ApiOperation({
    operationId: 'syncMessages',
    summary: 'Fetch messages now',
    description: `New and edited messages of your rooms on Upwork. ${CONDITIONS}`,
  })
  @ApiAcceptedResponse({ type: SyncListDto, description: 'The queued synchronisations.' })
  async syncMessages(): Promise<SyncListDto> {
    return { items: await this.syncs.request('messages') };
  }

  @Get('syncs')
  @ApiOperation({
    operationId: 'listSyncs',
    summary: 'List your synchronisations',
    description: 'Three for each connection, with last success and lag.',
  })
  @ApiOkResponse({ type: SyncListDto, description: 'The synchronisations.' })
  async list(): Promise<SyncListDto> {
    return { items: await this.syncs.list() };
  }

  @Get('syncs/:id')
  @ApiOperation({
    operationId: 'getSync',
    summary: 'Read a synchronisation',
    description: 'The status, what it did, why it failed.',
  })
  @ApiOkResponse({ type: SyncDto, description: 'The synchronisation.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<SyncDto> {
    return this.syncs.get(id);
  }
}
