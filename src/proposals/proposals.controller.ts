import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ChangeDto } from '../audit/logs/audit-logs.dto';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { NoFieldsDto } from '../platform/http/validation/unread-input.guard';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Post } from '../platform/idempotency/post';
import { CreateProposalDto, ListProposalsDto, ProposalDto, UpdateProposalDto } from './proposals.dto';
import { ProposalsService } from './proposals.service';

/** Proposals for jobs: drafts, their steps, their history. */
@ApiTags('Proposals')
@SignedIn()
@Controller({ path: 'proposals', version: '1' })
export class ProposalsController {
  constructor(private readonly proposals: ProposalsService) {}

  @Post()
  @ApiOperation({
    operationId: 'createProposal',
    summary: 'Draft a proposal',
    description:
      'For one of your jobs that has no draft and no submitted proposal; create the job first (POST /v1/jobs). Only `jobId` is needed to begin.',
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
    description: 'All of them, or those for a job or in some statuses.',
  })
  @ApiPage(ProposalDto)
  list(@Query() query: ListProposalsDto): Promise<Page<ProposalDto>> {
    return this.proposals.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getProposal',
    summary: 'Read a proposal',
    description: 'With its ETag; If-None-Match answers 304.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<ProposalDto> {
    return this.proposals.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateProposal',
    summary: 'Change a draft',
    description: 'A JSON merge patch: what is absent stays, null clears. Only a draft can be changed, its job never.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The draft as it is now.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: UpdateProposalDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.update(id, dto, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteProposal',
    summary: 'Delete a draft',
    description: 'Only a draft can be deleted; archive what was submitted.',
  })
  @ApiNoContentResponse({ description: 'It is gone; its history stays.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.proposals.remove(id, ifMatch);
  }

  @Post(':id/submit')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'submitProposal',
    summary: 'Submit a draft',
    description: 'It needs a cover letter, a bid and its type; from then on it cannot be changed.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal, submitted.' })
  submit(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('submit', id, ifMatch);
  }

  @Post(':id/accept')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'acceptProposal',
    summary: 'Note that it was accepted',
    description: 'The client took a submitted proposal.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal, accepted.' })
  accept(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('accept', id, ifMatch);
  }

  @Post(':id/reject')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'rejectProposal',
    summary: 'Note that it was rejected',
    description: 'The client declined a submitted proposal.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal, rejected.' })
  reject(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('reject', id, ifMatch);
  }

  @Post(':id/withdraw')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'withdrawProposal',
    summary: 'Withdraw a proposal',
    description: 'Takes a submitted proposal back.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal, withdrawn.' })
  withdraw(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<ProposalDto> {
    return this.proposals.applyStep('withdraw', id, ifMatch);
  }

  @Post(':id/archive')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'archiveProposal',
    summary: 'Archive a proposal',
    description: 'Puts away any proposal that is not a draft.',
  })
  @ApiOkResponse({ type: ProposalDto, description: 'The proposal, archived.' })
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
    summary: "Read a proposal's history",
    description: 'Who changed what, newest first, also after the draft was deleted.',
  })
  @ApiPage(ChangeDto)
  history(@Param('id', ParseIdPipe) id: number, @Query() query: PageQueryDto): Promise<Page<ChangeDto>> {
    return this.proposals.history(id, query);
  }
}
