import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { RestoreDto } from '../audit/history/record-version.dto';
import { ChangeDto } from '../audit/logs/audit-logs.dto';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { NoFieldsDto } from '../platform/http/validation/unread-input.guard';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import {
  CreateProposalDto,
  ListProposalsDto,
  ProposalDto,
  ProposalStatusChangesDto,
  UpdateProposalDto,
} from './proposals.dto';
import { ProposalsService } from './proposals.service';

/** Routes for proposals: drafts, steps and history. */
@ApiTags('Proposals')
@SignedIn()
@Controller({ path: 'proposals', version: '1' })
export class ProposalsController {
  constructor(private readonly proposals: ProposalsService) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createProposal',
    summary: 'Create a proposal',
    description:
      'Creates a draft for one of your jobs that has no draft and no submitted proposal. Create the job first (POST ' +
      '/v1/jobs). Only `jobId` is required.',
  })
  @ApiCreatedResponse({ type: ProposalDto, description: 'The draft.' })
  async create(@Body() dto: CreateProposalDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<ProposalDto> {
    const proposal = await this.proposals.create(dto);
    void reply.header('location', `/v1/proposals/${proposal.id}`);
    return proposal;
  }

  @Get()
  @ApiOperation({
    operationId: 'listProposals',
    summary: 'List your proposals',
    description: 'All of them, or only those for a job or with certain statuses.',
  })
  @ApiPage(ProposalDto)
  list(@Query() query: ListProposalsDto): Promise<Page<ProposalDto>> {
    return this.proposals.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getProposal',
    summary: 'Get a proposal',
    description: 'Returns an ETag; If-None-Match answers 304.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<ProposalDto> {
    return this.proposals.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateProposal',
    summary: 'Update a draft',
    description:
      'A JSON merge patch: absent fields keep their value, null clears. ' +
      'Only a draft can be changed, and never its job.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The updated draft.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: UpdateProposalDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.update(id, dto, ifMatch);
  }

  @Post(':id/restore')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'restoreProposal',
    summary: 'Restore a version of a draft',
    description:
      'The version after the audit entry `auditId` becomes a new change (GET /v1/audit/{table}/{recordId} lists ' +
      'entries). Only a draft can be changed, to a version that was a draft. A deleted draft comes back with its id.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The restored draft.' })
  restore(
    @Param('id', ParseIdPipe) id: number,
    @Body() { auditId }: RestoreDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.restore(id, auditId, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteProposal',
    summary: 'Delete a draft',
    description: 'Only a draft can be deleted. Archive a submitted proposal instead.',
  })
  @ApiNoContentResponse({ description: 'The draft was deleted; its history remains.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.proposals.remove(id, ifMatch);
  }

  @Post(':id/submit')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'submitProposal',
    summary: 'Submit a draft',
    description: 'Requires a cover letter, a bid and its type. A submitted proposal cannot be changed.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The submitted proposal.' })
  submit(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('submit', id, ifMatch);
  }

  @Post(':id/accept')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'acceptProposal',
    summary: 'Mark a proposal as accepted',
    description: 'Records that the client accepted a submitted proposal.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The accepted proposal.' })
  accept(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('accept', id, ifMatch);
  }

  @Post(':id/reject')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'rejectProposal',
    summary: 'Mark a proposal as rejected',
    description: 'Records that the client rejected a submitted proposal.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The rejected proposal.' })
  reject(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('reject', id, ifMatch);
  }

  @Post(':id/withdraw')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'withdrawProposal',
    summary: 'Withdraw a proposal',
    description: 'Records that you withdrew a submitted proposal.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The withdrawn proposal.' })
  withdraw(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('withdraw', id, ifMatch);
  }

  @Post(':id/archive')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'archiveProposal',
    summary: 'Archive a proposal',
    description: 'Archives any proposal that is not a draft.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The archived proposal.' })
  archive(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('archive', id, ifMatch);
  }

  @Get(':id/history')
  @ApiOperation({
    operationId: 'getProposalHistory',
    summary: 'Get the history of a proposal',
    description: 'Who changed which fields and when, newest first. Remains after a draft is deleted.',
  })
  @ApiPage(ChangeDto)
  history(@Param('id', ParseIdPipe) id: number, @Query() query: PageQueryDto): Promise<Page<ChangeDto>> {
    return this.proposals.history(id, query);
  }

  @Get(':id/status-changes')
  @ApiOperation({
    operationId: 'listProposalStatusChanges',
    summary: 'List the statuses of a proposal',
    description:
      'Returns each status with its time, the earliest first: submitted, in conversation, offered, accepted or ' +
      "rejected. Times are Upwork's where a sync found the change.",
  })
  @ApiOkResponse({ type: ProposalStatusChangesDto, description: 'The statuses.' })
  async listStatusChanges(@Param('id', ParseIdPipe) id: number): Promise<ProposalStatusChangesDto> {
    return { items: await this.proposals.listStatusChanges(id) };
  }
}
